"""What all our services of twistd do when they start."""

import subprocess
import sys

STARTED = """
import gc, sys
from nixery.tap.daemon import Daemon
before = len(gc.get_objects())
Daemon("nixery").startService()
print(before, gc.get_freeze_count(), sys.getswitchinterval())
"""


def test_what_was_there_at_the_start_is_collected_no_more_and_threads_leave_the_reactor_its_turn() -> None:
    said = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True).stdout
    before, frozen, turn = map(float, said.split())
    assert frozen > before * 0.9
    assert turn < 0.005


FAILING = """
from twisted.application.service import Service
from twisted.internet import reactor
from nixery.concurrency.senders import Senders
from nixery.tap.daemon import SEND_THREADS, Daemon

class Folder(Service):
    def startService(self):
        raise OSError("no such folder")

services = Daemon("nixery")
for service in (Senders(reactor, SEND_THREADS), Folder()):
    service.setServiceParent(services)
services.startService()
"""


def test_one_that_cannot_start_ends_though_its_threads_were_to_begin() -> None:
    ended = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stderr) == (1, "nixery: cannot start: no such folder\n")

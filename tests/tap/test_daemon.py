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

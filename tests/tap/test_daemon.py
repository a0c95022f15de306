"""What all our services of twistd do when they start."""

import subprocess
import sys

STARTED = """
import gc
from nixery.tap.daemon import Daemon
before = len(gc.get_objects())
Daemon("nixery").startService()
print(before, gc.get_freeze_count())
"""


def test_full_collections_pass_over_what_was_there_at_the_start() -> None:
    said = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True).stdout
    before, frozen = map(int, said.split())
    assert frozen > before * 0.9

"""Memory that goes back to the system, in processes of their own: it is theirs as a whole."""

import platform
import subprocess
import sys

import pytest

MEBIBYTES = 8

USE = f"""
from pathlib import Path
from nixery.concurrency.heap import give_back_large_blocks

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

def used():
    return bytearray(b"x") * ({MEBIBYTES} << 20)

{{call}}
used()
before = resident()
large = [used() for _ in range(8)]
small = [bytearray(2000) for _ in range(1000)]
del large
print(resident() - before)
"""


def kept(call: str) -> int:
    """MiB that stay with a process which has let go of eight large blocks."""
    command = (sys.executable, "-c", USE.format(call=call))
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what glibc does otherwise")
def test_large_blocks_go_back_to_the_system() -> None:
    assert kept("") >= MEBIBYTES, "else there is nothing to do"
    assert kept("give_back_large_blocks()") < MEBIBYTES

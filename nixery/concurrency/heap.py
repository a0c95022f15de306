"""What large blocks of memory leave behind: nothing, rather than a heap for each thread that grows for hours.

glibc takes large blocks from the system one by one and gives each back, but as soon as one was given back it takes
blocks of that size from the heaps of its threads, where small ones that live longer keep them (mallopt(3),
M_MMAP_THRESHOLD). With buckets, whose threads hold parts of blobs, a daemon grew by 4 MB with each large layer.
"""

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
_LARGE = 256 << 10
"""Bytes of a block that is worth two calls to the system."""


def give_back_large_blocks() -> None:
    """Have this process take large blocks from the system, always; does nothing with a C library other than glibc."""
    with suppress(AttributeError):  # musl, for one, has no mallopt, and does not need it
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)

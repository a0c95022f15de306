"""What of a file is in memory, and can be had without waiting for its disk (preadv2(2), RWF_NOWAIT)."""

import os

_STRIDE = 128 * 1024
"""Of how many bytes one is asked for. The kernel reads ahead in runs as long as this, or longer, and drops them so."""

_PARTS = 8
"""How often a long run is asked for, and once more at its end: asking takes the reactor's time.

What is overlooked of so long a run holds up the thread that sends it, and not the reactor.
"""

_byte = bytearray(1)
"""Where what is read goes; nobody looks at it."""


def in_memory(descriptor: int, offset: int, length: int) -> bool:
    """Whether these bytes of a file are, as far as can be seen at little cost; a file that ends before is not.

    Asking has the kernel begin to read what is not.
    """
    stride = max(_STRIDE, length // _PARTS)
    asked = (*range(offset, offset + length, stride), offset + length - 1)
    try:
        return all(os.preadv(descriptor, [_byte], at, os.RWF_NOWAIT) for at in asked)
    except OSError:
        return False


def can_say(descriptor: int) -> bool:
    """Whether the file system of an open file knows what is."""
    try:
        os.preadv(descriptor, [_byte], 0, os.RWF_NOWAIT)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True

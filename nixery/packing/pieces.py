"""A stream of bytes cut into pieces of one size, made in one buffer."""

import os
from collections.abc import Callable

PIECE = 1 << 20
"""Bytes of each piece but the last."""


class Pieces:
    """Hands each full piece to `take`, which must be done with it when it returns: the buffer is used again."""

    def __init__(self, take: Callable[[memoryview], object]) -> None:
        self._take = take
        self._buffer = memoryview(bytearray(PIECE))
        self._used = 0

    def put(self, data: bytes) -> None:
        """Append `data`."""
        rest = memoryview(data)
        while rest:
            part = rest[: PIECE - self._used]
            self._buffer[self._used : self._used + len(part)] = part
            self._advance(len(part))
            rest = rest[len(part) :]

    def fill(self, descriptor: int, size: int) -> int:
        """Append `size` bytes of a file; fewer where it ends. Says how many."""
        left = size
        while left:
            count = os.readv(descriptor, [self._buffer[self._used : self._used + left]])
            if not count:
                break
            self._advance(count)
            left -= count
        return size - left

    def end(self) -> None:
        """Hand on what is left."""
        if self._used:
            self._take(self._buffer[: self._used])
            self._used = 0

    def _advance(self, count: int) -> None:
        self._used += count
        if self._used == PIECE:
            self.end()

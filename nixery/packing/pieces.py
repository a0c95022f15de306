"""A stream of bytes cut into pieces of one size, made in buffers that are used again."""

import os
from collections.abc import Callable, Iterator
from itertools import cycle

PIECE = 1 << 20
"""Bytes of each piece but the last."""


def _in_turn(most: int) -> Iterator[memoryview]:
    """At most so many buffers, in turn. Each is made when its first turn comes, as most layers need but one."""
    made: list[memoryview] = []
    while len(made) < most:
        made.append(memoryview(bytearray(PIECE)))
        yield made[-1]
    yield from cycle(made)


class Pieces:
    """Hands each full piece to `take`, which must be done with it when it returns, as the buffer is used again.

    With more than one of `buffers`, only when it returns for the last piece but so many less one.
    """

    def __init__(self, take: Callable[[memoryview], object], buffers: int = 1) -> None:
        self._take = take
        self._buffers = _in_turn(buffers)
        self._buffer = next(self._buffers)
        self._beyond = bytearray(1)
        self._used = 0

    def put(self, data: bytes) -> None:
        """Append `data`."""
        end = self._used + len(data)
        if end < PIECE:  # what is true of nearly all headers, in less time
            self._buffer[self._used : end] = data
            self._used = end
            return
        rest = memoryview(data)
        while rest:
            part = rest[: PIECE - self._used]
            self._buffer[self._used : self._used + len(part)] = part
            self._advance(len(part))
            rest = rest[len(part) :]

    def fill(self, descriptor: int, size: int) -> int:
        """Append `size` bytes of a file. Says how many it has: fewer where it ends early, one more where it goes on."""
        left = size
        while True:
            part = self._buffer[self._used : self._used + left]
            last = len(part) == left
            count = os.readv(descriptor, (part, self._beyond) if last else (part,))
            if count > left:
                return size + 1
            self._advance(count)
            left -= count
            if not count or (last and not left):
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
            self._buffer = next(self._buffers)

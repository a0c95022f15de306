"""Pieces compressed on cores that are spare, beside the thread that makes them: one large layer then takes them all.

Only on such: a piece that goes to another core costs a sixth more than one that stays.
"""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from nixery.packing.spare import Spare
from nixery.packing.written import Written

BUFFERS = 4
"""For Pieces, as an upper bound of the memory: two cores are busy with two, and one more is ready for either."""

Compressed = bytes | bytearray


class Ahead:
    """Does what Written.take does, in the same order, and needs a piece until BUFFERS - 1 more have been taken."""

    def __init__(self, written: Written, spare: Spare) -> None:
        self._written = written
        self._spare = spare
        self._pending: deque[Future[Compressed]] = deque()

    def take(self, piece: memoryview) -> None:
        """Have a piece compressed, and write what is ready; raises as Written.take does."""
        self._written.see(piece)
        give_back = self._spare()
        if give_back is None:
            self._pending.append(_done(self._written.compress(piece)))
        else:
            self._pending.append(_threads().submit(self._compressed, piece, give_back))
        while self._pending and (self._pending[0].done() or len(self._pending) == BUFFERS):
            self._written.write(self._pending.popleft().result())

    def end(self) -> None:
        """Write what is left; raises as Written.write does."""
        while self._pending:
            self._written.write(self._pending.popleft().result())

    def _compressed(self, piece: memoryview, give_back: Callable[[], None]) -> Compressed:
        try:
            return self._written.compress(piece)
        finally:
            give_back()


def _done(compressed: Compressed) -> Future[Compressed]:
    future: Future[Compressed] = Future()
    future.set_result(compressed)
    return future


@cache
def _threads() -> ThreadPoolExecutor:
    """Of this process, for all layers."""
    return ThreadPoolExecutor(os.cpu_count(), "compressing")

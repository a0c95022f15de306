"""Work that a cancelled waiter must not cut off: it is told to end, and ends by itself.

A thread cannot be stopped, and closing the descriptor that it writes to would let it write into whatever file got its
number next.
"""

from collections.abc import Callable, Coroutine
from threading import Event
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from nixery.concurrency.background import Background
from nixery.errors import ShuttingDown

T = TypeVar("T")


class Told(Event):
    """Set, in the reactor's thread, when work is to end."""

    def __init__(self) -> None:
        super().__init__()
        self._waits: set[Deferred[Any]] = set()

    def set(self) -> None:
        """End what `unless` waits for, too."""
        super().set()
        for wait in list(self._waits):
            wait.cancel()

    async def unless(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of work that may be cut off at any moment; raises ShuttingDown when we are told to end."""
        wait = Deferred.fromCoroutine(work)
        self._waits.add(wait)
        if self.is_set():
            wait.cancel()
        try:
            return await wait
        except CancelledError:
            raise ShuttingDown() from None
        finally:
            self._waits.discard(wait)


Work = Callable[[Told], Coroutine[Any, Any, T]]
"""Ends soon, by ShuttingDown, after it is told so."""


class Uncut(Generic[T]):
    """Pieces of work, and those of them that run."""

    def __init__(self) -> None:
        self._works: Background[T] = Background()
        self._told: set[Told] = set()
        self._stopping = False

    async def run(self, work: Work[T]) -> T:
        """The work's outcome. Cancelling stops the waiting at once, and the work as soon as it can be."""
        cancelled = Told()
        if self._stopping:
            cancelled.set()
        self._told.add(cancelled)
        try:
            return await self._works.start(work(cancelled))
        finally:
            cancelled.set()
            self._told.remove(cancelled)

    async def stop(self) -> None:
        """Tell all that runs to end, and return when it has; work that comes later is told so from the start."""
        self._stopping = True
        ended = self._works.ended()
        for cancelled in list(self._told):
            cancelled.set()
        await ended

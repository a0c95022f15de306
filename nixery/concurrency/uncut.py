"""Work that a cancelled waiter must not cut off: it is told to end, and ends by itself.

A thread cannot be stopped, and closing the descriptor that it writes to would let it write into whatever file got its
number next.
"""

from collections.abc import Callable, Coroutine
from threading import Event
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from nixery.concurrency.settled import followed, settled

T = TypeVar("T")

Work = Callable[[Event], Coroutine[Any, Any, T]]
"""Ends soon, by ShuttingDown, after the event is set."""


class Uncut(Generic[T]):
    """Pieces of work, and those of them that run."""

    def __init__(self) -> None:
        self._running: dict[Event, Deferred[T]] = {}
        self._stopping = False

    async def run(self, work: Work[T]) -> T:
        """The work's outcome. Cancelling stops the waiting at once, and the work as soon as it can be."""
        cancelled = Event()
        if self._stopping:
            cancelled.set()
        running = Deferred.fromCoroutine(work(cancelled))
        if not running.called:
            self._running[cancelled] = running
            running.addBoth(self._forget, cancelled)
        try:
            return await followed(running)
        finally:
            cancelled.set()

    async def stop(self) -> None:
        """Tell all that runs to end, and return when it has; work that comes later is told so from the start."""
        self._stopping = True
        for cancelled in self._running:
            cancelled.set()
        await settled(self._running.values())

    def _forget(self, result: T | Failure, cancelled: Event) -> T | Failure:
        del self._running[cancelled]
        return result

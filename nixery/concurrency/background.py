"""Work that goes on when nobody waits for it any more, until it has ended by itself or is cancelled with all of it."""

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from nixery.concurrency.settled import settled

T = TypeVar("T")


class Background(Generic[T]):
    """Pieces of work that run."""

    def __init__(self) -> None:
        self._running: set[Deferred[T]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> Deferred[T]:
        """The work's outcome, failures included; cancelling it leaves the work alone."""
        running = Deferred.fromCoroutine(work)
        self._running.add(running)
        waiter: Deferred[T] = Deferred()

        def tell(outcome: T | Failure) -> None:
            self._running.remove(running)
            waiter.callback(outcome)

        running.addBoth(tell)
        return waiter

    def cancel(self) -> None:
        """Give up all of it; what ends by itself goes on doing so."""
        for running in list(self._running):
            running.cancel()

    def ended(self) -> Deferred[None]:
        """Fires when all that runs now has ended."""
        return settled(self._running)

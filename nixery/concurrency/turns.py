"""One look at a time, for however many ask: each is answered by a look that began after it had asked."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

V = TypeVar("V")


class Turns(Generic[V]):
    """Shares the outcomes of `look`. Who asks while one runs waits for the next, as the world may have changed since.

    So at most one runs, and one waits, whatever comes.
    """

    def __init__(self, look: Callable[[], Awaitable[V]]) -> None:
        self._look = look
        self._running = False
        self._waiters: dict[Deferred[V], None] = {}

    def join(self) -> Deferred[V]:
        """The outcome of the next look; cancelling concerns this waiter only."""
        waiter: Deferred[V] = Deferred(self._leave)
        self._waiters[waiter] = None
        if not self._running:
            self._begin()
        return waiter

    def _begin(self) -> None:
        waiters, self._waiters = self._waiters, {}
        self._running = True

        async def look() -> V:
            return await self._look()

        Deferred.fromCoroutine(look()).addBoth(self._end, waiters)

    def _end(self, outcome: V | Failure, waiters: dict[Deferred[V], None]) -> None:
        self._running = False
        if self._waiters:
            self._begin()
        for waiter in waiters:
            if not waiter.called:
                waiter.callback(outcome)

    def _leave(self, waiter: Deferred[V]) -> None:
        self._waiters.pop(waiter, None)

"""One piece of work for however many ask: shared while it is in flight, with a Deferred of its own for each waiter.

A waiter that goes away disturbs nobody: work that runs goes on without waiters, and work that is still queued is
dropped with its last waiter, unless somebody was told to come back for it.
"""

import sys
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from nixery.concurrency.settled import settled
from nixery.errors import NixeryError, ShuttingDown, StillBuilding

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@frozen
class Hold:
    """How long a waiter waits."""

    seconds: float
    clock: IReactorTime


class Coalescer(Generic[K, V]):
    """Work in flight, by key. At most `limit` pieces (None: any number) run at once; the others wait in order."""

    def __init__(self, limit: int | None) -> None:
        self._limit = DeferredSemaphore(limit or sys.maxsize)
        self._flights: dict[K, _Flight[V]] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._flights)

    def join(self, key: K, work: Callable[[], Awaitable[V]], hold: Hold | None = None) -> Deferred[V]:
        """The outcome of the work in flight under `key`, which is started by `work` if there is none.

        After the hold the Deferred fails with StillBuilding and the work goes on. Cancelling the Deferred
        concerns this waiter only. Fails with ShuttingDown after close.
        """
        if self._closed:
            return fail(ShuttingDown())
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            waiter = flight.wait(hold)
            flight.task = Deferred.fromCoroutine(self._fly(key, flight, work))
            return waiter
        return flight.wait(hold)

    def close(self) -> Deferred[None]:
        """Cancel all work; fires when the last piece has ended."""
        self._closed = True
        tasks = [flight.task for flight in self._flights.values()]
        ended = settled(tasks)
        for task in reversed(tasks):  # those that are queued first, so that none of them starts
            task.cancel()
        return ended

    async def _fly(self, key: K, flight: "_Flight[V]", work: Callable[[], Awaitable[V]]) -> None:
        try:
            await self._limit.acquire()
            flight.started = True
            try:
                outcome: V | Failure = await work()
            finally:
                self._limit.release()
        except CancelledError:
            outcome = Failure(ShuttingDown())
        except Exception:
            outcome = Failure()
        if self._flights.get(key) is flight:
            del self._flights[key]
        flight.land(key, outcome)


class _Flight(Generic[V]):
    """One piece of work and those who wait for it."""

    _log = Logger(namespace="nixery.concurrency.coalescer")
    task: Deferred[None]

    def __init__(self) -> None:
        self.started = False
        self._promised = False
        self._waiters: dict[Deferred[V], Callable[[], None]] = {}

    def wait(self, hold: Hold | None) -> Deferred[V]:
        """A Deferred for one more waiter."""
        waiter: Deferred[V] = Deferred(self._leave)
        timer = None if hold is None else hold.clock.callLater(hold.seconds, self._hold_no_longer, waiter)
        self._waiters[waiter] = (lambda: None) if timer is None else timer.cancel
        return waiter

    def land(self, key: object, outcome: V | Failure) -> None:
        """Tell all who wait."""
        waiters, self._waiters = self._waiters, {}
        if isinstance(outcome, Failure) and not waiters and not outcome.check(NixeryError):
            self._log.failure("nobody waited for {key}, which failed", outcome, key=key)
        for waiter, stop_timer in waiters.items():
            stop_timer()
            waiter.callback(outcome)

    def _leave(self, waiter: Deferred[V]) -> None:
        self._waiters.pop(waiter)()
        if not self._waiters and not self.started and not self._promised:
            self.task.cancel()

    def _hold_no_longer(self, waiter: Deferred[V]) -> None:
        del self._waiters[waiter]
        self._promised = True
        waiter.errback(StillBuilding("still building; the build goes on: pull again to wait for it"))

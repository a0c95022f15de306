"""Threads apart from the reactor's own, in pools: for packing, for what waits for files, for sending, for a bucket."""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")


class Pool(Protocol):
    """Somewhere to run a function that would block the reactor."""

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, or what it raises. Cancelling stops the waiting, not the function."""


class Threads(Service):
    """A pool of at most `size` threads, started and ended as a service; what comes beyond that waits in order."""

    def __init__(self, reactor: IReactorFromThreads, size: int, name: str) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(0, size, name)

    def startService(self) -> None:
        """Begin to run functions."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._pool.start()

    def stopService(self) -> Deferred[None]:
        """End the threads; fires when the functions that run have returned."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        waiter = ThreadPool(0, 1)
        waiter.start()
        done = deferToThreadPool(self._reactor, waiter, self._pool.stop)
        return done.addBoth(lambda _: waiter.stop())

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See Pool."""
        result: T = await deferToThreadPool(self._reactor, self._pool, function, *args, **kwargs)
        return result


class Inline:
    """A pool that runs the function at once, where it is called: for what is soon done, and tests without threads."""

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See Pool."""
        return function(*args, **kwargs)

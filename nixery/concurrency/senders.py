"""Threads that write to sockets: any of them goes on with whichever takes more, and none waits for a client."""

import errno
import os
import select
from threading import Lock
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from nixery.concurrency.pool import Threads

_WRITABLE = select.EPOLLOUT | select.EPOLLONESHOT  # for one thread, which then asks for the next time


class Outgoing(Protocol):
    """What is written to a socket, which stays open until it is over."""

    def fileno(self) -> int:
        """The socket's descriptor."""

    def part(self) -> bool:
        """Write the next part, in a thread, without waiting for the socket; whether there is more.

        What it raises ends it.
        """

    def over(self, failure: Failure | None) -> None:
        """Called in the reactor's thread, once: no thread writes any more. The failure is what `part` raised."""


class Senders(Service):
    """So many threads, which end as a service. What is under way when they end is never over.

    They begin with the first that is sent: a daemon that cannot start has no reactor that would end them.
    """

    def __init__(self, reactor: IReactorFromThreads, size: int) -> None:
        self._reactor = reactor
        self._size = size
        self._threads = Threads(reactor, size, "senders")
        self._outgoing: dict[int, Outgoing] = {}
        self._writing: set[int] = set()
        self._lock = Lock()
        self._begun = False

    def startService(self) -> None:
        """Make ready; the threads begin later."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._epoll = select.epoll()
        self._stop = os.eventfd(0)
        self._epoll.register(self._stop, select.EPOLLIN)
        self._threads.startService()

    async def _end(self) -> None:
        os.eventfd_write(self._stop, 1)
        await self._threads.stopService()
        self._outgoing.clear()  # they may leave later, and nothing waits for them by then
        self._epoll.close()
        os.close(self._stop)

    def stopService(self) -> Deferred[None]:
        """End the threads; fires when the parts that are written have been."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        return Deferred.fromCoroutine(self._end())

    def begin(self, one: Outgoing) -> None:
        """Write part after part as its socket takes them, until the last. Raises OSError, and then it is not over."""
        if not self.running:
            raise OSError(errno.ESHUTDOWN, "nothing is sent any more: the service ends")
        out = one.fileno()
        with self._lock:
            self._epoll.register(out, _WRITABLE)
            self._outgoing[out] = one
        if not self._begun:
            self._begun = True
            for _ in range(self._size):
                Deferred.fromCoroutine(self._threads.run(self._go_on))

    def leave(self, one: Outgoing) -> bool:
        """Write no further part of it. Whether it was waiting for its socket: else it will be told when it is over."""
        out = one.fileno()
        with self._lock:
            if self._outgoing.pop(out, None) is None or out in self._writing:
                return False
            self._epoll.unregister(out)
            return True

    @property
    def alone(self) -> bool:
        """Whether there is no more than one to be written to."""
        return len(self._outgoing) < 2

    def _go_on(self) -> None:
        """In a thread: write whatever can be written."""
        while (out := self._epoll.poll(-1, 1)[0][0]) != self._stop:
            self._next(out)

    def _next(self, out: int) -> None:
        """Write its next part."""
        one = self._claimed(out)
        if one is None:
            return
        more, failure = False, None
        try:
            more = one.part()
        except Exception:
            failure = Failure()
        if not self._waits(out, more):
            self._reactor.callFromThread(one.over, failure)

    def _claimed(self, out: int) -> Outgoing | None:
        """What is to be written there now, by this thread alone.

        None where what was seen is out of date: what it was about is over, and another has its descriptor, if any.
        """
        with self._lock:
            if out in self._writing or out not in self._outgoing:
                return None
            self._writing.add(out)
            return self._outgoing[out]

    def _waits(self, out: int, more: bool) -> bool:
        """Whether it waits for its socket again, now that a part is written; else it is forgotten."""
        with self._lock:
            self._writing.remove(out)
            if more and out in self._outgoing:
                self._epoll.modify(out, _WRITABLE)
                return True
            self._outgoing.pop(out, None)
            self._epoll.unregister(out)
            return False

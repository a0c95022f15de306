"""What senders write to in tests, and how to wait for them."""

import socket
from collections.abc import Callable
from threading import current_thread, main_thread
from typing import IO

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

Pair = tuple[socket.socket, socket.socket]


@define(eq=False)
class Parts:
    """Notes each part, which `do` writes; `ended`: when it is over."""

    socket: socket.socket | IO[bytes]
    do: Callable[[int], bool]
    parts: int = 0
    failure: Failure | None = None
    ended: Deferred[None] = field(factory=Deferred)

    def fileno(self) -> int:
        return self.socket.fileno()

    def part(self) -> bool:
        self.parts += 1
        assert current_thread() is not main_thread()
        return self.do(self.parts)

    def over(self, failure: Failure | None) -> None:
        assert current_thread() is main_thread()
        self.failure = failure
        self.ended.callback(None)

    async def is_over(self) -> None:
        """Wait until it is, for half a minute at most."""
        await self.ended.addTimeout(30, reactor)


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await deferLater(reactor, 0.001)


def fill(ours: socket.socket) -> int:
    """How many bytes it takes until it is full."""
    size = 0
    while True:
        try:
            size += ours.send(bytes(1 << 16))
        except BlockingIOError:
            return size

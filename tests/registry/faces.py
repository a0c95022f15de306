"""A registry on a real socket, with a blob in a file, and clients that take of it as much as the test says."""

import os
import select
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from attrs import define
from twisted.internet import reactor, tcp, unix
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock, deferLater
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

from nixery.concurrency.pool import Pool, Threads
from nixery.concurrency.senders import Senders
from nixery.images.digest import Digest
from nixery.pages.resource import Pages
from nixery.registry import waiting
from nixery.registry.channel import Channel
from nixery.registry.contents import Pools
from nixery.registry.resident import can_say
from nixery.registry.routes import Registry
from nixery.registry.site import Site, make_site
from nixery.storage.interfaces import LocalFile
from tests.registry.wire import FakeImages, PlacedStorage

SOCKET_BUFFER = 1 << 16
"""Bytes; the kernel doubles them."""


class Client(Protocol):
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.closed: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        assert isinstance(self.transport, tcp.Connection)
        self.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)

    def ask(self, path: str, method: str = "GET", **headers: str) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.write(f"{method} {path} HTTP/1.1\r\nHost: r\r\n{lines}\r\n".encode())

    def write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    async def has(self, size: int) -> None:
        """Wait for so many bytes."""
        await until(lambda: len(self.received) >= size)

    def rest(self, resting: bool = True) -> None:
        """Take nothing, or again what comes."""
        assert isinstance(self.transport, tcp.Connection)
        (self.transport.pauseProducing if resting else self.transport.resumeProducing)()

    def takes(self, size: int) -> int:
        """Take that much once, while it rests, and drop it; how many bytes there were."""
        assert isinstance(self.transport, tcp.Connection)
        return len(self.transport.getHandle().recv(size))

    def leave(self) -> None:
        assert isinstance(self.transport, tcp.Connection)
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: object = None) -> None:
        self.closed.callback(None)


class Watched(Senders):
    """Those that say whom they wait for."""

    def waits_for(self, out: int) -> bool:
        with self._lock:
            return out in self._outgoing and out not in self._writing


@define
class Face:
    """What is served: `path` has the blob of `digest`, in the file `file`."""

    file: Path
    digest: Digest
    clock: Clock
    place: str
    channels: list[Channel]
    senders: Watched

    @property
    def path(self) -> str:
        return f"/v2/big/blobs/{self.digest}"

    async def client(self) -> Client:
        client = Client()
        await connectProtocol(clientFromString(reactor, self.place), client)
        return client

    @property
    def open_files(self) -> int:
        links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
        return sum(os.path.realpath(link) == str(self.file) for link in links)

    @property
    def connections(self) -> list[tcp.Server]:
        """The server's ends."""
        ends = [channel.transport for channel in self.channels]
        bare: list[object] = [end.transport if isinstance(end, ProtocolWrapper) else end for end in ends]
        return [end for end in bare if isinstance(end, tcp.Server) and end.connected]

    @property
    def listens(self) -> bool:
        """Whether the server reads from any client."""
        return any(end in reactor.getReaders() for end in self.connections)

    async def taken(self, client: Client, size: int) -> int:
        """As `client.takes`, with time for the server's kernel to hear of it. As much may be sent again by then."""
        (end,) = self.connections
        before = waiting._untaken(end)
        took = client.takes(size)
        for _ in range(200):
            if waiting._untaken(end) != before:
                break
            await turn()
        return took

    async def gone(self) -> None:
        """See all connections end, with nothing left behind. A thread may see an end first, and is over soon after."""
        await until(lambda: not self.connections and not self.open_files)
        assert self.clock.getDelayedCalls() == []

    async def stalled(self) -> None:
        """Wait until the one connection has taken all that it takes, and nothing but its socket is waited for."""
        turns = 0
        while turns < 20:
            await turn()
            (end,) = self.connections
            waits = end in reactor.getWriters() or self.senders.waits_for(end.fileno())
            turns = turns + 1 if waits and not select.select([], [end], [], 0)[1] else 0


def skip_where_nothing_is_known(folder: Path) -> None:
    """Skip a test of files that the kernel sends: where it cannot say what of a file is in memory, none go that way."""
    with tempfile.TemporaryFile(dir=folder) as file:
        if not can_say(file.fileno()):
            pytest.skip("this file system cannot say what is in memory")


async def turn() -> None:
    """Let the reactor do what there is to do."""
    await deferLater(reactor, 0)


async def until(condition: Callable[[], bool]) -> None:
    """Let the reactor work until this is so, for half a minute at most."""
    end = reactor.seconds() + 30
    while not condition():
        assert reactor.seconds() < end, "it does not come to pass"
        await turn()


def listening(site: Site, kind: str, path: Path) -> tuple[tcp.Port, str]:
    """A port of that kind, and where clients find it. `path`: of a UNIX socket."""
    port: tcp.Port
    if kind == "unix":
        port = unix.Port(os.fsencode(path), site)
    else:
        port = tcp.Port(0, WrappingFactory(site) if kind == "wrapped" else site, interface="127.0.0.1")
    port.startListening()
    port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
    return port, f"unix:{path}" if kind == "unix" else f"tcp:127.0.0.1:{port.getHost().port}"


@asynccontextmanager
async def serving(folder: Path, data: bytes, kind: str = "tcp", pool: Pool | None = None) -> AsyncIterator[Face]:
    """Serve a file with this data.

    `kind`: tcp, unix, or wrapped, where something stands before the socket. `pool`: where files are read; None for
    threads.
    """
    file = folder / "blob"
    file.write_bytes(data)
    storage, clock = PlacedStorage(), Clock()
    threads = Threads(reactor, 2, "files")  # type: ignore[arg-type]  # a module to mypy
    digest = Digest.of(data)
    storage.places[digest] = LocalFile(str(file), len(data))
    senders = Watched(reactor, 2)  # type: ignore[arg-type]  # as above
    pools = Pools(pool or threads, senders)
    site = make_site(Registry(FakeImages(), storage, pools, clock).app.resource(), Pages(), clock)
    channels: list[Channel] = []

    class Noted(Channel):
        def connectionMade(self) -> None:
            channels.append(self)
            super().connectionMade()

    site.protocol = Noted
    port, place = listening(site, kind, folder / "socket")
    threads.startService()
    senders.startService()
    face = Face(file, digest, clock, place, channels, senders)
    try:
        yield face
    finally:
        await port.stopListening()
        for end in face.connections:
            end.abortConnection()
        await until(lambda: not face.connections)
        await senders.stopService()
        await threads.stopService()

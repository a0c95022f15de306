"""A large file over a real socket, to a client that is in no hurry."""

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.tcp import Client, Port

from nixery.concurrency.pool import Threads
from nixery.concurrency.senders import Senders
from nixery.images.digest import Digest
from nixery.pages.resource import Pages
from nixery.registry import sending
from nixery.registry.contents import PIECE, Pools
from nixery.registry.routes import Registry
from nixery.registry.site import Site, make_site
from nixery.storage.interfaces import LocalFile
from tests.registry.wire import FakeImages, PlacedStorage

T = TypeVar("T")
SIZE = 20 << 20
SOCKET_BUFFER = 1 << 16


class CountingPool:
    """Counts the bytes that were read or sent, and the reads under way."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self.under_way = self.most_under_way = self.bytes = 0

    async def run(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        result = await self._threads.run(function, *args, **kwargs)
        self.under_way -= 1
        self.bytes += len(result) if isinstance(result, bytes) else 0
        return result

    def counting(self, sendfile: Callable[[int, int, int, int], int]) -> Callable[[int, int, int, int], int]:
        def counted(out: int, file: int, offset: int, length: int) -> int:
            sent = sendfile(out, file, offset, length)
            self.bytes += sent
            return sent

        return counted


class SlowReader(Protocol):
    """Asks for a path, and rests after each part that it gets."""

    def __init__(self, path: str, pool: CountingPool) -> None:
        self.done: Deferred[None] = Deferred()
        self.hash = hashlib.sha256()
        self.bytes = self.most_ahead = 0
        self._path = path
        self._pool = pool
        self._head = b""

    def connectionMade(self) -> None:
        assert isinstance(self.transport, Client)
        self.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        self.transport.write(f"GET {self._path} HTTP/1.1\r\nHost: r\r\nConnection: close\r\n\r\n".encode())

    def dataReceived(self, data: bytes) -> None:
        if b"\r\n\r\n" not in self._head:
            self._head += data
            data = self._head.partition(b"\r\n\r\n")[2]
        self.hash.update(data)
        self.bytes += len(data)
        self.most_ahead = max(self.most_ahead, self._pool.bytes - self.bytes)
        assert isinstance(self.transport, Client)
        self.transport.pauseProducing()
        reactor.callLater(0.0005, self.transport.resumeProducing)

    def connectionLost(self, reason: object = None) -> None:
        self.done.callback(None)


async def read_slowly(reader: SlowReader, site: Site) -> None:
    """Serve the site on a socket with small buffers, until the reader has what it wants."""
    port = Port(0, site, interface="127.0.0.1", reactor=reactor)
    port.startListening()
    try:
        port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), reader)
        reader.done.addTimeout(60, reactor)
        await reader.done
    finally:
        await port.stopListening()


@pytest.mark.parametrize("read", [True, False])
@pytest_twisted.ensureDeferred
async def test_memory_stays_bounded_however_slow_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: bool
) -> None:
    data = os.urandom(1 << 20) * (SIZE >> 20)
    path = tmp_path / "blob"
    path.write_bytes(data)
    storage = PlacedStorage()
    storage.places[Digest.of(data)] = LocalFile(str(path), len(data))
    threads = Threads(reactor, 2, "reads")  # type: ignore[arg-type]  # a module to mypy
    pool = CountingPool(threads)
    if read:
        monkeypatch.setattr(sending, "way", lambda *_: None)
    monkeypatch.setattr(os, "sendfile", pool.counting(os.sendfile))
    reader = SlowReader(f"/v2/big/blobs/{Digest.of(data)}", pool)
    senders = Senders(reactor, 2)  # type: ignore[arg-type]  # as above
    registry = Registry(FakeImages(), storage, Pools(pool, senders), Clock())
    threads.startService()
    senders.startService()
    try:
        await read_slowly(reader, make_site(registry.app.resource(), Pages(), Clock()))
    finally:
        await senders.stopService()
        await threads.stopService()
    assert (reader.bytes, reader.hash.hexdigest()) == (len(data), Digest.of(data).hex)
    assert pool.most_under_way == 1
    # Two pieces of ours, and what the kernel keeps of a socket's buffers on both sides (it doubles what is asked).
    assert reader.most_ahead <= 2 * PIECE + 8 * SOCKET_BUFFER

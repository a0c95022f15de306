"""What the tests of the HTTP face share: fakes, and a connection by the bytes."""

import http.client
import io
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, TypeVar

from attrs import define, evolve, field
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, execute
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from nixery.building.served import Served
from nixery.concurrency.pool import Inline, Pool
from nixery.concurrency.senders import Senders
from nixery.errors import ManifestUnknown, NixeryError
from nixery.images.digest import DiffID, Digest
from nixery.images.index import ImageIndex
from nixery.images.manifest import ImageRecord, Layer
from nixery.images.name import ImageName, Platform, Tag
from nixery.images.source import PinnedSource
from nixery.pages.resource import Pages
from nixery.registry.catalog import Catalog
from nixery.registry.contents import Pools
from nixery.registry.forwarded import Network
from nixery.registry.routes import Registry
from nixery.registry.site import Site, make_site
from nixery.storage.interfaces import Location
from nixery.storage.memory import MemoryStorage
from tests.registry.images_contract import manifests

T = TypeVar("T")

RECORD = ImageRecord(Platform.AMD64, (Layer(DiffID.of(b"tar"), Digest.of(b"gzip"), 4),))


class FakeImages:
    """Has RECORD under every name, for the platform that it names or for several, unless told to wait or to raise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.platforms: tuple[Platform, ...] = (Platform.AMD64,)
        self.waiting: Deferred[object] | None = None
        self.warning: str | None = None
        self.state = PinnedSource("path", "one", "/set")
        self.named = {"latest"}
        self.error: Exception | None = None
        self.manifests: dict[Digest, bytes] = {}

    async def by_tag(self, name: ImageName, tag: Tag) -> Served:
        self.asked.append((name.text, tag.text))
        if self.error is not None:
            raise self.error
        if self.waiting is not None:
            await self.waiting
        platforms = self.platforms if name.platform is None else (name.platform,)
        images = tuple(evolve(RECORD, platform=platform) for platform in platforms)
        rendered = images[0] if len(images) == 1 else ImageIndex(images)
        self.manifests |= {Digest.of(data): data for data in manifests(rendered)}
        return Served(rendered, self.warning, self.state if self.warning is None else None)

    def means(self, tag: Tag, pinned: PinnedSource) -> bool:
        return self.warning is None and pinned == self.state

    async def tags(self) -> Collection[str]:
        if self.error is not None:
            raise self.error
        return self.named

    async def by_digest(self, digest: Digest) -> bytes:
        if digest not in self.manifests:
            raise ManifestUnknown(f"no manifest {digest}")
        return self.manifests[digest]


class PlacedStorage(MemoryStorage):
    """A storage that can say of any digest where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[Digest, Location] = {}
        self.error: NixeryError | None = None

    async def find(self, digest: Digest) -> Location | None:
        if self.error is not None:
            raise self.error
        return self.places.get(digest) or await super().find(digest)


class HandPool:
    """A pool whose functions run when the test says so."""

    def __init__(self) -> None:
        self.queue: list[Callable[[Exception | None], None]] = []

    async def run(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        done: Deferred[T] = Deferred()
        self.queue.append(lambda error: self._run(done, error, partial(function, *args, **kwargs)))
        return await done

    def step(self, error: Exception | None = None) -> None:
        """Run the oldest function, or have it fail."""
        self.queue.pop(0)(error)

    def _run(self, done: Deferred[T], error: Exception | None, function: Callable[[], T]) -> None:
        if error is not None:
            done.errback(Failure(error))
        else:
            execute(function).chainDeferred(done)


@define
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class _Bytes:
    """As much of a socket as http.client reads from."""

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)

    def makefile(self, mode: str) -> io.BytesIO:
        return self.file


def parse(data: bytes, method: str = "GET") -> Reply:
    """The one answer in `data`, which is well-formed, complete, and all that there is."""
    source = _Bytes(data)
    response = http.client.HTTPResponse(source, method=method)  # type: ignore[arg-type]  # not quite a socket
    response.begin()
    length = response.length
    body = response.read()
    assert method == "HEAD" or length == len(body), "a body without its length"
    assert source.file.closed or source.file.read() == b"", "bytes after the answer"
    return Reply(response.status, response.headers, body)


class Wire:
    """A client's connection to a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.7", 40000), lenient=True)
        self._protocol = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 40000))
        self._protocol.makeConnection(self.transport)

    @property
    def received(self) -> bytes:
        received: bytes = self.transport.value()
        return received

    def send(self, data: bytes) -> None:
        self._protocol.dataReceived(data)

    def lose(self) -> None:
        """What a TCP connection does when it breaks."""
        producer = self.transport.producer
        if producer is not None:
            producer.stopProducing()
        self._protocol.connectionLost(Failure(ConnectionLost()))


@define
class World:
    """A registry among fakes."""

    images: FakeImages = field(factory=FakeImages)
    storage: PlacedStorage = field(factory=PlacedStorage)
    pool: Pool = field(factory=Inline)
    clock: Clock = field(factory=Clock)
    catalog: Catalog | None = None
    origins: Collection[str] = ()
    proxies: Collection[Network] = ()

    def connect(self) -> Wire:
        pools = Pools(self.pool, Senders(reactor, 0))  # type: ignore[arg-type]  # a module to mypy
        registry = Registry(self.images, self.storage, pools, self.clock, self.catalog)
        return Wire(make_site(registry.resource(), Pages(), self.clock, self.origins, self.proxies))

    def wire(self, target: str | bytes, method: str = "GET", **headers: str) -> Wire:
        """A connection on which this was asked. Header names have `_` for `-`."""
        wire = self.connect()
        raw = target if isinstance(target, bytes) else target.encode()
        lines = "".join(
            f"{name.replace('_', '-')}: {value}\r\n" for name, value in ({"Host": "r.test"} | headers).items()
        )
        wire.send(method.encode() + b" " + raw + b" HTTP/1.1\r\n" + lines.encode() + b"\r\n")
        return wire

    def ask(self, target: str | bytes, method: str = "GET", **headers: str) -> Reply:
        return parse(self.wire(target, method, **headers).received, method)

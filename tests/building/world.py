"""What the tests of the pipeline share: real packing, the memory storage, and stand-ins for Nix and the source."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from random import Random

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.building.builder import Builder, Settings
from nixery.building.cache import Cache
from nixery.building.last_good import LastGood, Policy
from nixery.building.layering import Layers
from nixery.building.leases import Leases
from nixery.building.platforms import Platforms
from nixery.building.served import Served
from nixery.building.tags import Serving, Tags
from nixery.building.transcoding import Transcoder
from nixery.concurrency.pool import Inline
from nixery.errors import EvaluationFailed, ManifestUnknown, SourceUnavailable
from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.index import Rendered
from nixery.images.manifest import ImageRecord
from nixery.images.name import ImageName, Platform, Tag
from nixery.images.popularity import Popularity
from nixery.images.source import PinnedSource
from nixery.nix.driver import Built
from nixery.nix.report import Package
from nixery.packing.packer import Packer
from nixery.sources.interfaces import Origin
from nixery.storage.memory import MemoryStorage

LATEST = Tag("latest")
DAY = 24 * 3600.0

REFUSED = SourceUnavailable("the git repository cannot be read: connection refused")
BROKEN = EvaluationFailed("Nix cannot evaluate the package set: syntax error")
OTHER = ImageName.parse("git")
SHELL = ImageName.parse("shell/hello")
HELLO = ImageName.parse("hello")


class Source:
    def __init__(self) -> None:
        self.pinned = PinnedSource("path", "one", "/set")
        self.where: str | None = None
        self.refs = True
        self.fails: Exception | None = None
        self.go: Deferred[None] | None = None
        self.fetching: Deferred[None] | None = None
        self.newer: PinnedSource | None = None
        self.gone: set[str] = set()
        self.asked: list[str] = []

    async def pin(self, tag: Tag) -> PinnedSource:
        if self.go is not None:
            await self.go
        if self.fails is not None:
            raise self.fails
        return self._means(tag)

    def current(self, tag: Tag) -> PinnedSource | None:
        return None if self.go is not None or self.fails is not None else self._means(tag)

    def _means(self, tag: Tag) -> PinnedSource:
        return self.pinned if tag == LATEST else evolve(self.pinned, pin=f"{self.pinned.pin} {tag.text}")

    async def again(self, pin: str) -> PinnedSource:
        self.asked.append(pin)
        if self.fetching is not None:
            await self.fetching
        if pin in self.gone or (self.where is None and pin != self.pinned.pin):
            raise ManifestUnknown(f"{pin} is gone")
        return evolve(self.pinned, pin=pin)

    async def renew(self, pinned: PinnedSource) -> bool:
        if self.newer is None:
            return False
        self.pinned, self.newer = self.newer, None
        return True

    async def tags(self) -> set[str]:
        return {"latest"}

    @property
    def origin(self) -> Origin:
        return Origin(self.where or "a folder", refs=self.refs)

    def lasting(self, tag: Tag) -> bool:
        return self.where is not None

    async def still(self, pinned: PinnedSource) -> bool:
        return pinned.pin.partition(" ")[0] == self.pinned.pin


class Nix:
    """Builds one small store path for each name, when the test says so."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.calls: list[tuple[str, ...]] = []
        self.systems: list[str] = []
        self.go: Deferred[None] | None = None
        self.fails: Exception | None = None
        self.content = "first"

    async def build(self, source: PinnedSource, names: Sequence[str], system: str) -> Built:
        self.calls.append(tuple(names))
        self.systems.append(system)
        if self.go is not None:
            await self.go
        if self.fails is not None:
            raise self.fails
        packages = [Package(name, name, (self._path(name),), None, None, ()) for name in names]
        infos = [PathInfo(p.outputs[0], hashlib.sha256(self.content.encode()).hexdigest(), 9, ()) for p in packages]
        roots = self.store / "roots"
        roots.mkdir(exist_ok=True)
        return Built(tuple(packages), Closure.of(infos), str(roots))

    def _path(self, name: str) -> StorePath:
        path = self.store / f"{hashlib.md5(name.encode()).hexdigest().translate(_BASE32)}-{name}"
        (path / "bin").mkdir(parents=True, exist_ok=True)
        (path / "bin" / name).write_text(self.content)
        return StorePath.parse(str(path))


_BASE32 = str.maketrans("e", "z")


class World:
    def __init__(self, folder: Path) -> None:
        self.limit = 94
        self.zstd = False
        self.clock = Clock()
        self.storage = MemoryStorage()
        self.source = Source()
        self.nix = Nix(folder)
        self.settings = Settings("e" * 64, Platform.AMD64, 2, 240)
        self.policy = Policy.SERVE
        self.platforms: tuple[Platform, ...] = (Platform.AMD64,)
        self.popularity: Popularity | None = None
        self.meaning = ""
        self.leases = 0
        self.tags = self.restarted()

    def restarted(self) -> Tags:
        """What answers after a restart: all that is known is in the storage."""
        self.builder = self._builder()
        good = LastGood(self.storage, self.clock, DAY)
        platforms = Platforms(self.builder, Cache(self.storage), self.platforms)
        serving = Serving(self.policy, self.settings.hold, self.meaning)
        return Tags(self.source, platforms, good, self.clock, serving)

    def _builder(self) -> Builder:
        cache = Cache(self.storage)
        packer = Packer(Inline(), self.storage)
        transcoder = Transcoder(self.storage, Inline(), 2) if self.zstd else None
        layers = Layers(packer, cache, Inline(), self.limit, transcoder)
        self.leases += 1
        leases = Leases(self.storage, self.clock, Random(self.leases))
        return Builder(self.source, self.nix, layers, cache, lambda: self.popularity, self.clock, self.settings, leases)

    def move(self) -> None:
        """Have the upstream at something new, of other content."""
        self.source.pinned = evolve(self.source.pinned, pin="two")
        self.nix.content = "second"

    def served(self, name: ImageName = HELLO, tag: Tag = LATEST) -> Deferred[Served]:
        return Deferred.fromCoroutine(self.tags.by_tag(name, tag))

    def rendered(self, name: ImageName = HELLO, tag: Tag = LATEST) -> Deferred[Rendered]:
        return self.served(name, tag).addCallback(lambda served: served.rendered)

    def ask(self, name: ImageName = HELLO, tag: Tag = LATEST) -> Deferred[ImageRecord]:
        return self.rendered(name, tag).addCallback(_single)


def _single(rendered: Rendered) -> ImageRecord:
    assert isinstance(rendered, ImageRecord)
    return rendered

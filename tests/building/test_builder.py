"""The pipeline over real packing and the memory storage; Nix and the source are stand-ins that the test steers.

The real Nix goes through the same cases in tests/integration.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.building.builder import Builder, Settings
from nixery.building.cache import Cache
from nixery.building.layering import Layers
from nixery.concurrency.pool import Inline
from nixery.errors import BuildFailed, ManifestUnknown, PackingFailed, ShuttingDown, StillBuilding
from nixery.images.digest import Digest
from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.manifest import Format, ImageRecord
from nixery.images.name import ImageName, Platform, Tag
from nixery.images.source import PinnedSource
from nixery.nix.driver import Built
from nixery.nix.report import Package
from nixery.packing.packer import Packer
from nixery.storage.memory import MemoryStorage

LATEST = Tag("latest")
HELLO = ImageName.parse("hello")


class Source:
    def __init__(self) -> None:
        self.pinned = PinnedSource("path", "one", "/set")

    async def pin(self, tag: Tag) -> PinnedSource:
        return self.pinned if tag == LATEST else evolve(self.pinned, pin=f"{self.pinned.pin} {tag.text}")


class Nix:
    """Builds one small store path for each name, when the test says so."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.calls: list[tuple[str, ...]] = []
        self.go: Deferred[None] | None = None
        self.fails: Exception | None = None
        self.content = "first"

    async def build(self, source: PinnedSource, names: Sequence[str], system: str) -> Built:
        self.calls.append(tuple(names))
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
        self.clock = Clock()
        self.storage = MemoryStorage()
        self.source = Source()
        self.nix = Nix(folder)
        self.settings = Settings("e" * 64, Platform.AMD64, 2, 240)
        self.builder = self.restarted()

    def restarted(self) -> Builder:
        cache = Cache(self.storage)
        packer = Packer(Inline(), self.storage)
        layers = Layers(packer, cache, Inline(), None, self.limit)
        return Builder(self.source, self.nix, layers, cache, self.clock, self.settings)

    def ask(self, name: ImageName = HELLO, tag: Tag = LATEST) -> Deferred[ImageRecord]:
        return Deferred.fromCoroutine(self.builder.by_tag(name, tag))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest_twisted.ensureDeferred
async def test_an_image_is_built_once_and_then_known_also_after_a_restart(world: World) -> None:
    record = await world.ask()
    assert await world.ask() == record
    world.builder = world.restarted()
    assert await world.ask() == record
    assert world.nix.calls == [("cacert", "hello", "iana-etc")]
    assert not (world.nix.store / "roots").exists(), "let go when the layers are stored"


@pytest_twisted.ensureDeferred
async def test_shell_has_a_command_and_another_order_is_the_same_image(world: World) -> None:
    record = await world.ask(ImageName.parse("shell/git/htop"))
    assert record.command == ("bash",)
    assert await world.ask(ImageName.parse("shell/htop/git")) == record
    assert len(world.nix.calls) == 1


@pytest_twisted.ensureDeferred
async def test_many_ask_and_one_build_runs(world: World) -> None:
    world.nix.go = Deferred()
    asked = [world.ask() for _ in range(20)]
    world.nix.go.callback(None)
    assert len({id(await each) for each in asked}) == 1
    assert len(world.nix.calls) == 1


@pytest_twisted.ensureDeferred
async def test_a_request_is_held_and_the_build_goes_on(world: World) -> None:
    world.nix.go = Deferred()
    asked = world.ask()
    world.clock.advance(240)
    with pytest.raises(StillBuilding):
        await asked
    world.nix.go.callback(None)
    assert (await world.ask()).layers
    assert len(world.nix.calls) == 1


@pytest_twisted.ensureDeferred
async def test_a_source_that_changed_meanwhile_is_served_and_not_remembered(world: World) -> None:
    world.nix.go = Deferred()
    asked = world.ask()
    world.source.pinned = evolve(world.source.pinned, pin="two")
    world.nix.go.callback(None)
    record = await asked
    assert await world.storage.has_all(record.blobs())
    assert not any(name.startswith(("v1/images", "v1/recipes")) for name in world.storage.records)


@pytest_twisted.ensureDeferred
async def test_an_image_of_another_tag_is_remembered_too(world: World) -> None:
    record = await world.ask(tag=Tag("v1"))
    assert await world.ask(tag=Tag("v1")) == record
    assert len(world.nix.calls) == 1
    await world.ask()
    assert len(world.nix.calls) == 2


@pytest_twisted.ensureDeferred
async def test_a_failed_build_is_told_and_tried_again(world: World) -> None:
    world.nix.fails = BuildFailed("no")
    with pytest.raises(BuildFailed):
        await world.ask()
    assert world.storage.records == {}
    world.nix.fails = None
    assert (await world.ask()).layers


@pytest_twisted.ensureDeferred
async def test_fault_11_store_paths_are_held_until_the_last_layer_has_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: Deferred[None] = Deferred()

    async def paths(self: Packer, paths: object, comment: str) -> None:
        await slow

    async def root(self: Packer, packages: object, comment: str) -> None:
        raise PackingFailed("the root cannot be packed")

    monkeypatch.setattr(Packer, "paths", paths)
    monkeypatch.setattr(Packer, "root", root)
    asked = world.ask()
    assert (world.nix.store / "roots").exists()
    slow.errback(PackingFailed("nor can this"))
    with pytest.raises(PackingFailed):
        await asked
    assert not (world.nix.store / "roots").exists()


@pytest.mark.parametrize("format", Format)
@pytest_twisted.ensureDeferred
async def test_a_manifest_by_digest_is_served_from_the_storage(world: World, format: Format) -> None:
    manifest = (await world.ask()).manifest(format)
    assert await world.builder.by_digest(Digest.of(manifest)) == manifest
    assert len(world.nix.calls) == 1


@pytest.mark.parametrize("lost", range(7))
@pytest_twisted.ensureDeferred
async def test_fault_1_whatever_blob_is_lost_is_made_again_by_tag_and_by_digest(world: World, lost: int) -> None:
    record = await world.ask()
    digests = [Digest.of(record.manifest(format)) for format in Format]
    gone = list(record.blobs())[lost]
    digest = gone if gone in digests else digests[0]
    for ask in (lambda: world.ask(), lambda: Deferred.fromCoroutine(world.builder.by_digest(digest))):
        data = world.storage.blobs.pop(gone)
        await ask()
        assert world.storage.blobs[gone] == data


@pytest_twisted.ensureDeferred
async def test_by_digest_says_why_it_cannot_be_made_again(world: World) -> None:
    digest = Digest.of((await world.ask()).manifest(Format.OCI))
    world.storage.blobs.clear()
    world.source.pinned = evolve(world.source.pinned, pin="two")
    with pytest.raises(ManifestUnknown, match="have changed since it was made"):
        await world.builder.by_digest(digest)
    world.source.pinned = evolve(world.source.pinned, pin="one")
    world.nix.content = "not reproducible"
    with pytest.raises(ManifestUnknown, match="came out different"):
        await world.builder.by_digest(digest)
    with pytest.raises(ManifestUnknown, match="no manifest with the digest"):
        await world.builder.by_digest(Digest.of(b"?"))


@pytest_twisted.ensureDeferred
async def test_a_limit_on_layers_includes_the_root(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.limit = 3
    world.builder = world.restarted()
    assert len((await world.ask(ImageName.parse("a/b/c/d/e/f"))).layers) == 3


@pytest_twisted.ensureDeferred
async def test_damaged_records_count_as_none(world: World) -> None:
    record = await world.ask()
    for name in world.storage.records:
        world.storage.records[name] = b"{}"
    assert await world.ask() == record
    world.builder = world.restarted()
    assert await world.ask() == record
    assert len(world.nix.calls) == 2, "the records were written anew"


@pytest_twisted.ensureDeferred
async def test_stopping_ends_the_builds_and_answers_who_waits(world: World) -> None:
    world.nix.go = Deferred()
    asked = world.ask()
    await world.builder.stopService()
    with pytest.raises(ShuttingDown):
        await asked
    with pytest.raises(ShuttingDown):
        await world.ask()

"""Faults of Go Nixery that the pipeline must not have."""

import itertools
from collections.abc import Sequence

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from nixery.errors import PackingFailed, ShuttingDown
from nixery.images.digest import Digest
from nixery.images.graph import StorePath
from nixery.images.manifest import Format, Layer
from nixery.images.name import ImageName, Platform
from nixery.packing.packer import Packer
from tests.building.world import World


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
async def test_fault_2_asking_for_a_known_image_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    record = await world.ask()
    for name in ("stage", "create_record", "swap_record"):
        monkeypatch.setattr(world.storage, name, None)
    assert await world.ask() == record
    assert await world.builder.by_digest(Digest.of(record.manifest(Format.OCI))) == record.manifest(Format.OCI)


@pytest_twisted.ensureDeferred
async def test_fault_4_a_build_that_waits_its_turn_ends_with_its_last_client(world: World) -> None:
    world.nix.go = Deferred()
    asked = [world.ask(ImageName.parse(name)) for name in ("a", "b", "c")]
    asked[2].cancel()
    with pytest.raises(CancelledError):
        await asked[2]
    world.nix.go.callback(None)
    assert [(await each).layers != () for each in asked[:2]] == [True, True]
    assert [names[0] for names in world.nix.calls] == ["a", "b"]


@pytest_twisted.ensureDeferred
async def test_fault_4_stopping_ends_the_builds_and_answers_who_waits(world: World) -> None:
    world.nix.go = Deferred()
    asked = world.ask()
    await world.builder.stopService()
    assert asked.called
    with pytest.raises(ShuttingDown):
        await asked
    with pytest.raises(ShuttingDown):
        await world.ask()


@pytest_twisted.ensureDeferred
async def test_fault_9_an_image_for_arm64_is_built_for_arm64_and_known_apart(world: World) -> None:
    amd64, arm64 = await world.ask(), await world.ask(ImageName.parse("arm64/hello"))
    assert (amd64.platform, arm64.platform) == (Platform.AMD64, Platform.ARM64)
    assert await world.ask(ImageName.parse("amd64/hello")) == amd64
    assert world.nix.systems == ["x86_64-linux", "aarch64-linux"]


@pytest_twisted.ensureDeferred
async def test_fault_10_an_image_is_the_same_whichever_layers_are_known_and_whichever_end_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = ImageName.parse("a/b/c")
    record = await world.ask(name)
    layers = [key for key in world.storage.records if key.startswith("v1/layers/")]
    at_once, seconds = Packer.paths, itertools.count(9, -1)

    async def paths(self: Packer, paths: Sequence[StorePath], comment: str) -> Layer:
        await deferLater(world.clock, next(seconds))  # the first to begin is the last to end
        return await at_once(self, paths, comment)

    monkeypatch.setattr(Packer, "paths", paths)
    for forgotten in ([], layers[:2], layers):
        for key in [key for key in world.storage.records if key.startswith("v1/images/") or key in forgotten]:
            del world.storage.records[key]
        asked = world.ask(name)
        world.clock.pump([1] * 9)
        assert await asked == record


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

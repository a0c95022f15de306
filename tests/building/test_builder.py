"""The pipeline over real packing and the memory storage; Nix and the source are stand-ins that the test steers.

The real Nix goes through the same cases in tests/integration.
"""

from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred

from nixery.errors import BuildFailed, ManifestUnknown, StillBuilding
from nixery.images.digest import Digest
from nixery.images.manifest import ANNOTATION, Format
from nixery.images.name import ImageName, Tag
from nixery.images.popularity import Popularity
from tests.building.world import World


@pytest_twisted.ensureDeferred
async def test_an_image_is_built_once_and_then_known_also_after_a_restart(world: World) -> None:
    record = await world.ask()
    assert await world.ask() == record
    world.tags = world.restarted()
    assert await world.ask() == record
    assert world.nix.calls == [("cacert", "hello", "iana-etc")]
    assert not (world.nix.store / "roots").exists(), "let go when the layers are stored"


@pytest_twisted.ensureDeferred
async def test_shell_has_a_command_and_another_order_is_the_same_image(world: World) -> None:
    record = await world.ask(ImageName.parse("shell/git/htop"))
    assert record.settings.command == ("bash",)
    assert await world.ask(ImageName.parse("shell/htop/git")) == record
    assert len(world.nix.calls) == 1


@pytest_twisted.ensureDeferred
async def test_a_package_set_of_another_home_is_another_image(world: World) -> None:
    nowhere = await world.ask()
    world.source.pinned = evolve(world.source.pinned, home="https://example.org/set")
    there = await world.ask()
    assert dict(there.annotations) == {**dict(nowhere.annotations), f"{ANNOTATION}source": "https://example.org/set"}
    assert there.layers == nowhere.layers
    world.storage.blobs.clear()
    assert await world.builder.by_digest(Digest.of(there.manifest(Format.OCI))) == there.manifest(Format.OCI)


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


@pytest.mark.parametrize("format", Format)
@pytest_twisted.ensureDeferred
async def test_a_manifest_by_digest_is_served_from_the_storage(world: World, format: Format) -> None:
    manifest = (await world.ask()).manifest(format)
    assert await world.builder.by_digest(Digest.of(manifest)) == manifest
    assert len(world.nix.calls) == 1


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
async def test_by_digest_another_popularity_makes_no_other_image_of_it(world: World) -> None:
    digest = Digest.of((await world.ask()).manifest(Format.OCI))
    world.storage.blobs.clear()
    world.popularity = Popularity.parse('{"hello": 5}')
    with pytest.raises(ManifestUnknown, match="have changed since it was made"):
        await world.builder.by_digest(digest)
    assert len(world.nix.calls) == 1


@pytest_twisted.ensureDeferred
async def test_an_image_is_layered_by_the_popularity_that_its_key_names(tmp_path: Path) -> None:
    layers = []
    for later in ("a", "b"):
        (folder := tmp_path / later).mkdir()
        world = World(folder)
        world.limit = 3
        world.popularity = Popularity.parse('{"a": 9}')
        world.tags = world.restarted()
        world.nix.go = Deferred()
        asked = world.ask(ImageName.parse("a/b"))
        world.popularity = Popularity.parse(f'{{"{later}": 9}}')
        world.nix.go.callback(None)
        layers.append([layer.comment for layer in (await asked).layers])
    assert layers[0] == layers[1]


@pytest_twisted.ensureDeferred
async def test_a_limit_on_layers_includes_the_root(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.limit = 3
    world.tags = world.restarted()
    assert len((await world.ask(ImageName.parse("a/b/c/d/e/f"))).layers) == 3


@pytest_twisted.ensureDeferred
async def test_damaged_records_count_as_none(world: World) -> None:
    record = await world.ask()
    for name in world.storage.records:
        world.storage.records[name] = b"{}"
    assert await world.ask() == record
    world.tags = world.restarted()
    assert await world.ask() == record
    assert len(world.nix.calls) == 2, "the records were written anew"

"""What a registry serves that only reads: the images of a builder that shares its storage."""

import json
from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve

from nixery.building import recorded_tags
from nixery.building.last_good import Policy
from nixery.building.stored import Meaning, StoredImages
from nixery.errors import ManifestUnknown
from nixery.images.digest import Digest
from nixery.images.index import ImageIndex, IndexFormat
from nixery.images.manifest import Format
from nixery.images.name import ImageName, Platform, Tag
from tests.building.world import DAY, HELLO, LATEST, OTHER, REFUSED, World

V1 = Tag("v1")
BOTH = (Platform.AMD64, Platform.ARM64)


def reader(world: World) -> StoredImages:
    meaning = Meaning(world.source.origin, world.meaning, world.platforms)
    return StoredImages(world.storage, meaning, world.clock)


@pytest.fixture(params=["a place", None])
def built(world: World, request: pytest.FixtureRequest) -> World:
    """A builder whose source's images may be served later than they were the newest, and one whose may not."""
    world.source.where = request.param
    return world


@pytest_twisted.ensureDeferred
async def test_what_was_built_is_served_by_its_tag(built: World) -> None:
    image = await built.ask()
    records, blobs = dict(built.storage.records), dict(built.storage.blobs)
    served = await reader(built).by_tag(HELLO, LATEST)
    assert (served.rendered, served.warning) == (image, None)
    assert (built.storage.records, built.storage.blobs) == (records, blobs), "nothing is written"


@pytest.mark.parametrize("policy", Policy)
@pytest_twisted.ensureDeferred
async def test_whatever_the_builders_do_when_their_source_is_gone(built: World, policy: Policy) -> None:
    built.policy = policy
    built.tags = built.restarted()
    image = await built.ask()
    assert (await reader(built).by_tag(HELLO, LATEST)).rendered == image


@pytest_twisted.ensureDeferred
async def test_however_long_ago_it_was(built: World) -> None:
    image = await built.ask()
    built.clock.advance(1000 * DAY)
    assert (await reader(built).by_tag(HELLO, LATEST)).rendered == image


@pytest_twisted.ensureDeferred
async def test_what_a_tag_means_now_follows_the_builders(built: World) -> None:
    readers, old = reader(built), await built.ask()
    other = await built.ask(OTHER)
    built.move()
    new = await built.ask()
    assert new != old
    assert (await readers.by_tag(HELLO, LATEST)).rendered == new
    assert (await readers.by_tag(OTHER, LATEST)).rendered == other, "which nobody has asked for since"


@pytest_twisted.ensureDeferred
async def test_names_that_mean_the_same_are_the_same(built: World) -> None:
    image = await built.ask(ImageName.parse("git/hello"))
    assert (await reader(built).by_tag(ImageName.parse("hello/git"), LATEST)).rendered == image
    assert (await reader(built).by_tag(ImageName.parse("amd64/hello/git"), LATEST)).rendered == image


@pytest_twisted.ensureDeferred
async def test_tags_are_kept_apart_where_they_are_refs(built: World) -> None:
    latest, first = await built.ask(), await built.ask(tag=V1)
    assert (await reader(built).by_tag(HELLO, V1)).rendered == first
    assert (await reader(built).by_tag(HELLO, LATEST)).rendered == latest


@pytest_twisted.ensureDeferred
async def test_any_tag_is_the_same_where_they_are_not(built: World) -> None:
    built.source.refs = False
    image = await built.ask(tag=V1)
    recorded = set(built.storage.records)
    await built.ask(tag=Tag("v2"))
    assert set(built.storage.records) == recorded, "else whoever may pull could fill the storage with tags"
    assert (await reader(built).by_tag(HELLO, Tag("v3"))).rendered == image


@pytest_twisted.ensureDeferred
async def test_an_index_is_served_with_its_images(built: World) -> None:
    built.platforms = BOTH
    built.tags = built.restarted()
    index = await built.rendered()
    assert isinstance(index, ImageIndex)
    assert (await reader(built).by_tag(HELLO, LATEST)).rendered == index
    for form in IndexFormat:
        assert await reader(built).by_digest(Digest.of(index.manifest(form))) == index.manifest(form)


@pytest.mark.parametrize("lost", ["record", "layer"])
@pytest.mark.parametrize("platforms", [BOTH, BOTH[:1]])
@pytest_twisted.ensureDeferred
async def test_what_is_no_longer_whole_is_not_served(built: World, platforms: tuple[Platform, ...], lost: str) -> None:
    built.platforms = platforms
    built.tags = built.restarted()
    rendered = await built.rendered()
    image = rendered.images[0] if isinstance(rendered, ImageIndex) else rendered
    if lost == "layer":
        del built.storage.blobs[image.layers[0].digest]
    else:
        del built.storage.records[next(name for name in built.storage.records if name.startswith("v1/images/"))]
    with pytest.raises(ManifestUnknown, match=r"^hello:latest is not stored here, .* pull it from one that builds"):
        await reader(built).by_tag(HELLO, LATEST)


@pytest.mark.parametrize(("name", "tag"), [(OTHER, LATEST), (ImageName.parse("arm64/hello"), LATEST), (HELLO, V1)])
@pytest_twisted.ensureDeferred
async def test_what_nobody_built_is_unknown(built: World, name: ImageName, tag: Tag) -> None:
    await built.ask()
    with pytest.raises(ManifestUnknown, match="only serves what is stored"):
        await reader(built).by_tag(name, tag)


@pytest_twisted.ensureDeferred
async def test_other_settings_or_another_source_mean_another_image(built: World) -> None:
    await built.ask()
    built.meaning = " with other settings"
    with pytest.raises(ManifestUnknown):
        await reader(built).by_tag(HELLO, LATEST)
    built.meaning, built.source.where = "", "another place"
    with pytest.raises(ManifestUnknown):
        await reader(built).by_tag(HELLO, LATEST)


@pytest_twisted.ensureDeferred
async def test_a_manifest_is_served_by_digest_while_all_that_it_names_is_stored(built: World) -> None:
    image = await built.ask()
    manifest = image.manifest(Format.OCI)
    digest = Digest.of(manifest)
    assert await reader(built).by_digest(digest) == manifest
    del built.storage.blobs[image.layers[0].digest]
    with pytest.raises(ManifestUnknown, match=f"^the manifest {digest} is not stored here with all that it names"):
        await reader(built).by_digest(digest)


@pytest_twisted.ensureDeferred
async def test_tags_are_those_that_somebody_pulled(built: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_tags, "_PAGE", 2)
    readers = reader(built)
    assert await readers.tags() == []
    for name, tag in [(HELLO, LATEST), (OTHER, LATEST), (HELLO, V1), (HELLO, Tag("V1"))]:
        await built.ask(name, tag)
    assert sorted(await readers.tags()) == ["V1", "latest", "v1"]
    other = evolve(Meaning(built.source.origin, "", BOTH), settings=" of others")
    assert await StoredImages(built.storage, other, built.clock).tags() == []


@pytest_twisted.ensureDeferred
async def test_a_tags_record_is_read_once(built: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await built.ask()
    readers = reader(built)
    await readers.tags()

    async def never(name: str) -> bytes | None:
        raise AssertionError(name)

    monkeypatch.setattr(built.storage, "read_record", never)
    assert await readers.tags() == ["latest"]


@pytest_twisted.ensureDeferred
async def test_other_sources_records_are_not_read(built: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await built.ask()
    for other in ("0", "z"):
        await built.storage.create_record(f"v1/tags/{other}.{other}.any", b"{}")
    read, named = built.storage.read_record, list[str]()

    async def noting(name: str) -> bytes | None:
        named.append(name)
        return await read(name)

    monkeypatch.setattr(built.storage, "read_record", noting)
    assert await reader(built).tags() == ["latest"]
    assert len(named) == 1


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", json.dumps({"tag": "<script>"}).encode()])
@pytest_twisted.ensureDeferred
async def test_a_record_that_names_no_tag_of_its_own_is_passed_over(built: World, data: bytes) -> None:
    await built.ask()
    for name in built.storage.records:
        if name.startswith("v1/tags/"):
            built.storage.records[name] = data
    assert await reader(built).tags() == []


@pytest_twisted.ensureDeferred
async def test_only_latest_is_listed_where_any_tag_means_the_same(built: World) -> None:
    built.source.refs = False
    assert await reader(built).tags() == {"latest"}


@pytest_twisted.ensureDeferred
async def test_what_readers_go_by_changes_nothing_of_what_builders_serve(world: World, tmp_path: Path) -> None:
    await world.ask()
    assert any(name.startswith("v1/tags/") for name in world.storage.records)
    world.source.fails = REFUSED
    with pytest.raises(type(REFUSED), match="refused$"):
        await world.ask()

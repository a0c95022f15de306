"""Several platforms behind one tag: an index that is the same ever after, or an error."""

import json
from collections.abc import Sequence

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from nixery.building.last_good import Policy
from nixery.errors import BuildFailed, BuildTimedOut, ManifestUnknown, NixeryError, PackagesUnavailable
from nixery.images.digest import Digest
from nixery.images.index import LEFT_OUT, ImageIndex, IndexFormat
from nixery.images.manifest import Format, ImageRecord
from nixery.images.name import ImageName, Platform
from nixery.images.source import PinnedSource
from nixery.nix.driver import Built
from tests.building.world import REFUSED, World

ARM = "aarch64-linux"


@pytest.fixture
def both(moving: World) -> World:
    moving.platforms = (Platform.AMD64, Platform.ARM64)
    moving.tags = moving.restarted()
    return moving


async def index(world: World) -> ImageIndex:
    rendered = await world.rendered()
    assert isinstance(rendered, ImageIndex)
    return rendered


def refuse_arm(world: World, error: NixeryError, monkeypatch: pytest.MonkeyPatch) -> None:
    build = world.nix.build

    async def refusing(source: PinnedSource, names: Sequence[str], system: str) -> Built:
        if system == ARM:
            raise error
        return await build(source, names, system)

    monkeypatch.setattr(world.nix, "build", refusing)


@pytest_twisted.ensureDeferred
async def test_a_tag_is_an_index_of_all_platforms_and_known_from_then_on(both: World) -> None:
    first = await index(both)
    assert [image.platform for image in first.images] == [Platform.AMD64, Platform.ARM64]
    both.tags = both.restarted()
    assert await both.rendered() == first
    assert sorted(both.nix.systems) == [ARM, "x86_64-linux"]


@pytest_twisted.ensureDeferred
async def test_a_prefix_names_one_platform_and_shares_its_image(both: World) -> None:
    first = await index(both)
    for image, prefix in zip(first.images, ("amd64", "arm64"), strict=True):
        assert await both.rendered(ImageName.parse(f"{prefix}/hello")) == image
    assert len(both.nix.calls) == 2


@pytest_twisted.ensureDeferred
async def test_many_ask_and_each_platform_is_built_once_side_by_side(both: World) -> None:
    both.nix.go = Deferred()
    asked = [both.rendered() for _ in range(20)]
    assert len(both.nix.calls) == 2, "none waits for the other"
    both.nix.go.callback(None)
    assert len({id(await each) for each in asked}) == 1
    assert len(both.nix.calls) == 2


@pytest_twisted.ensureDeferred
async def test_a_platform_that_the_packages_do_not_have_is_left_out_and_stays_so(
    both: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse_arm(both, PackagesUnavailable("hello is not available for this platform"), patch)
        first = await index(both)
    assert [image.platform for image in first.images] == [Platform.AMD64]
    annotations = json.loads(first.manifest(IndexFormat.OCI))["annotations"]
    assert annotations == {f"{LEFT_OUT}linux/arm64": "hello is not available for this platform"}
    both.tags = both.restarted()
    assert await both.rendered() == first, "an index never changes"


@pytest.mark.parametrize("error", [BuildFailed("no builder"), BuildTimedOut("too long")])
@pytest_twisted.ensureDeferred
async def test_a_platform_that_cannot_be_built_fails_the_index(
    both: World, monkeypatch: pytest.MonkeyPatch, error: NixeryError
) -> None:
    with monkeypatch.context() as patch:
        refuse_arm(both, error, patch)
        with pytest.raises(type(error)):
            await both.rendered()
    assert not any(name.startswith("v1/indexes") for name in both.storage.records)
    assert len((await index(both)).images) == 2


@pytest_twisted.ensureDeferred
async def test_packages_that_no_platform_has_are_refused(both: World) -> None:
    both.nix.fails = PackagesUnavailable("hello is not in the package set")
    with pytest.raises(PackagesUnavailable, match="linux/amd64: hello is not.*; linux/arm64: hello is not"):
        await both.rendered()


@pytest_twisted.ensureDeferred
async def test_an_index_and_its_manifests_are_had_by_digest(both: World) -> None:
    first = await index(both)
    for format in IndexFormat:
        body = first.manifest(format)
        assert await both.tags.by_digest(Digest.of(body)) == body
        for entry in json.loads(body)["manifests"]:
            digest = Digest.parse(entry["digest"])
            assert Digest.of(await both.tags.by_digest(digest)) == digest


@pytest.mark.parametrize("format", IndexFormat)
@pytest_twisted.ensureDeferred
async def test_an_index_that_was_lost_is_rendered_again_from_its_record(both: World, format: IndexFormat) -> None:
    body = (await index(both)).manifest(format)
    del both.storage.blobs[Digest.of(body)]
    both.source.gone.add("one")
    assert await both.tags.by_digest(Digest.of(body)) == body
    assert both.source.asked == [], "its images are there"


@pytest.mark.parametrize("format", IndexFormat)
@pytest_twisted.ensureDeferred
async def test_whatever_blob_of_an_index_is_lost_it_is_made_again_by_its_digest(
    both: World, format: IndexFormat
) -> None:
    body = (await index(both)).manifest(format)
    for lost in [{blob} for blob in both.storage.blobs] + [set(both.storage.blobs)]:
        both.tags = both.restarted()
        for blob in lost:
            both.storage.blobs.pop(blob, None)
        assert await both.tags.by_digest(Digest.of(body)) == body
        for entry in json.loads(body)["manifests"]:
            assert all(
                child in both.storage.blobs for child in named(both.storage.blobs[Digest.parse(entry["digest"])])
            )


def named(manifest: bytes) -> list[Digest]:
    value = json.loads(manifest)
    return [Digest.parse(blob["digest"]) for blob in (value["config"], *value["layers"])]


@pytest_twisted.ensureDeferred
async def test_the_records_of_its_images_are_not_needed(both: World) -> None:
    body = (await index(both)).manifest(IndexFormat.OCI)
    both.storage.blobs.clear()
    both.storage.records = {name: data for name, data in both.storage.records.items() if "v1/images" not in name}
    assert await both.tags.by_digest(Digest.of(body)) == body


@pytest_twisted.ensureDeferred
async def test_images_of_an_index_are_made_again_side_by_side(both: World) -> None:
    digest = Digest.of((await index(both)).manifest(IndexFormat.OCI))
    both.storage.blobs.clear()
    both.nix.go = Deferred()
    asked = Deferred.fromCoroutine(both.tags.by_digest(digest))
    assert len(both.nix.calls) == 4, "none waits for the other"
    both.nix.go.callback(None)
    assert Digest.of(await asked) == digest


@pytest_twisted.ensureDeferred
async def test_an_index_is_not_answered_when_one_of_its_images_cannot_be_had(both: World) -> None:
    first = await index(both)
    layer = first.images[1].layers[0].digest
    for format in IndexFormat:
        both.storage.blobs.pop(layer, None)
        both.source.gone.add("one")
        with pytest.raises(ManifestUnknown, match="package set or this registry's settings have changed"):
            await both.tags.by_digest(Digest.of(first.manifest(format)))


@pytest_twisted.ensureDeferred
async def test_an_index_whose_images_came_out_different_is_another_index(both: World) -> None:
    first = await index(both)
    both.storage.blobs.clear()
    both.storage.records = {name: data for name, data in both.storage.records.items() if "v1/layers" not in name}
    both.nix.content = "not reproducible"
    with pytest.raises(ManifestUnknown, match="came out different"):
        await both.tags.by_digest(Digest.of(first.manifest(IndexFormat.OCI)))
    second = await index(both)
    assert second != first
    for format in IndexFormat:
        assert await both.tags.by_digest(Digest.of(second.manifest(format))) == second.manifest(format)
    with pytest.raises(ManifestUnknown):
        await both.tags.by_digest(Digest.of(first.manifest(IndexFormat.OCI)))


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"[]",
        b'{"version":2}',
        b'{"version":1,"images":["%s"],"left_out":[]}' % (b"0" * 64),
        b'{"version":2,"images":[["%s","../x"]],"left_out":[]}' % (b"0" * 64),
        b'{"version":2,"images":[["../x","%s"]],"left_out":[]}' % (b"0" * 64),
        b'{"version":2,"images":[7],"left_out":[]}',
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_record_that_nobody_can_read_is_written_anew(both: World, record: bytes) -> None:
    first = await index(both)
    for name in [name for name in both.storage.records if name.startswith("v1/indexes")]:
        both.storage.records[name] = record
    assert await both.rendered() == first


@pytest_twisted.ensureDeferred
async def test_the_last_good_index_is_served_too(both: World) -> None:
    first = await index(both)
    both.source.fails = REFUSED
    served = await both.served()
    assert (served.rendered, served.warning is None) == (first, False)


@pytest_twisted.ensureDeferred
async def test_instances_of_other_platforms_do_not_share_a_last_good_image(both: World) -> None:
    await index(both)
    both.platforms, both.source.fails = (Platform.AMD64,), REFUSED
    both.tags = both.restarted()
    served = await both.served()
    assert isinstance(served.rendered, ImageRecord), "made from the state that was good for another"


@pytest_twisted.ensureDeferred
async def test_one_platform_is_a_plain_manifest(both: World) -> None:
    both.platforms, both.policy = (Platform.ARM64,), Policy.NEVER
    both.tags = both.restarted()
    rendered = await both.rendered()
    assert isinstance(rendered, ImageRecord)
    assert (rendered.platform, both.nix.systems) == (Platform.ARM64, [ARM])
    assert rendered.manifest(Format.OCI)


@pytest_twisted.ensureDeferred
async def test_why_a_platform_is_left_out_is_cut_to_what_an_annotation_may_hold(
    both: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_arm(both, PackagesUnavailable("hello " * 10_000), monkeypatch)
    [(_, why)] = (await index(both)).left_out
    assert len(why) == 500

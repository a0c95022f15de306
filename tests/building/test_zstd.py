"""Images whose OCI manifests name zstd layers."""

import json

import pytest
import pytest_twisted

from nixery.building.transcoding import Transcoder
from nixery.images.digest import DiffID, Digest
from nixery.images.manifest import Format, ImageRecord
from tests.building.world import HELLO, World
from tests.zstd import zstd

GZIP, ZSTD = "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar+zstd"


@pytest.fixture
def zstd_world(world: World) -> World:
    world.zstd = True
    world.tags = world.restarted()
    return world


def types(record: ImageRecord, format: Format) -> set[str]:
    return {layer["mediaType"] for layer in json.loads(record.manifest(format))["layers"]}


@pytest_twisted.ensureDeferred
async def test_the_oci_manifest_names_zstd_layers_and_dockers_gzip_layers_of_one_config(zstd_world: World) -> None:
    record = await zstd_world.ask()
    assert types(record, Format.OCI) == {ZSTD}
    assert types(record, Format.DOCKER) == {Format.DOCKER.layer}
    config = json.loads(record.config())
    for layer, diff_id in zip(
        json.loads(record.manifest(Format.OCI))["layers"], config["rootfs"]["diff_ids"], strict=True
    ):
        blob = zstd_world.storage.blobs[Digest.parse(layer["digest"])]
        assert len(blob) == layer["size"]
        assert str(DiffID.of(zstd.decompress(blob))) == diff_id


@pytest_twisted.ensureDeferred
async def test_it_is_another_image_than_the_gzip_one_with_the_same_config_and_docker_manifest(world: World) -> None:
    before = await world.ask()
    assert types(before, Format.OCI) == {GZIP}
    packed = set(world.storage.blobs)
    world.zstd = True
    world.tags = world.restarted()
    after = await world.ask()
    assert after.config() == before.config()
    assert after.manifest(Format.DOCKER) == before.manifest(Format.DOCKER)
    assert after.manifest(Format.OCI) != before.manifest(Format.OCI)
    made = {layer.zstd.digest for layer in after.layers if layer.zstd is not None}
    assert set(world.storage.blobs) == packed | made | {Digest.of(after.manifest(Format.OCI))}
    world.zstd = False
    world.tags = world.restarted()
    assert await world.ask() == before


@pytest_twisted.ensureDeferred
async def test_it_is_known_after_a_restart(zstd_world: World) -> None:
    record = await zstd_world.ask()
    zstd_world.tags = zstd_world.restarted()
    assert await zstd_world.ask() == record
    assert len(zstd_world.nix.calls) == 1


@pytest.mark.parametrize("format", Format)
@pytest_twisted.ensureDeferred
async def test_whatever_blob_is_lost_it_is_made_again_by_the_manifests_digest(
    format: Format, zstd_world: World
) -> None:
    manifest = (await zstd_world.ask()).manifest(format)
    whole = dict(zstd_world.storage.blobs)
    for lost in whole:
        del zstd_world.storage.blobs[lost]
        assert await zstd_world.builder.by_digest(Digest.of(manifest)) == manifest
        named = json.loads(manifest)
        blobs = {Digest.parse(blob["digest"]) for blob in (named["config"], *named["layers"])}
        assert blobs <= set(zstd_world.storage.blobs)
        zstd_world.storage.blobs.update(whole)


@pytest_twisted.ensureDeferred
async def test_another_encoder_makes_another_image_and_the_same_gzip_layers(
    zstd_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await zstd_world.ask()
    key = zstd_world.builder.key(HELLO, zstd_world.source.pinned)
    monkeypatch.setattr("nixery.packing.zstd.encoder_fingerprint", lambda: "other")
    assert zstd_world.builder.key(HELLO, zstd_world.source.pinned) != key
    second = await zstd_world.ask()
    assert len(zstd_world.nix.calls) == 2
    assert second.manifest(Format.DOCKER) == first.manifest(Format.DOCKER)


@pytest_twisted.ensureDeferred
async def test_stopping_ends_what_makes_zstd_layers(zstd_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Transcoder] = []

    async def close(transcoder: Transcoder) -> None:
        closed.append(transcoder)

    monkeypatch.setattr(Transcoder, "close", close)
    await zstd_world.builder.stopService()
    assert len(closed) == 1

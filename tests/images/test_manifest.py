"""Image records, manifests and configs: what they hold, and that they do not drift."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.config import ImageConfig
from nixery.images.digest import DiffID, Digest
from nixery.images.manifest import Blob, Format, ImageRecord, Layer, decode_layer, encode_layer, media_type
from nixery.images.name import Platform

digests = st.binary(max_size=4).map(Digest.of)
sizes = st.integers(0, 2**60)
layers = st.builds(
    Layer,
    st.binary(max_size=4).map(DiffID.of),
    digests,
    sizes,
    st.text(max_size=10),
    st.none() | st.builds(Blob, digests, sizes),
)
words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=5)
records = st.builds(
    ImageRecord,
    st.sampled_from(Platform),
    st.lists(layers, max_size=4).map(tuple),
    st.builds(ImageConfig, command=st.lists(words, max_size=2).map(tuple)),
    st.dictionaries(words, words, max_size=2).map(lambda said: tuple(sorted(said.items()))),
)
WRONG: list[dict[str, object]] = [{"digest": "x"}, {"diffID": 3}, {"size": "5"}, {"zstd": None}, {"zstd": {"size": 5}}]
RECORD = ImageRecord(
    Platform.AMD64,
    (
        Layer(DiffID.of(b"first tar"), Digest.of(b"first"), 5, "glibc-2.36"),
        Layer(DiffID.of(b"second tar"), Digest.of(b"second"), 6),
    ),
    ImageConfig(command=("bash",)),
    (("org.opencontainers.image.version", "1"),),
)


@given(records)
def test_a_record_survives_its_encoding(record: ImageRecord) -> None:
    assert ImageRecord.decode(record.encode()) == record


@given(layers)
def test_a_layer_survives_its_encoding(layer: Layer) -> None:
    assert decode_layer(encode_layer(layer)) == layer


@given(records, st.sampled_from(Format))
def test_a_manifest_names_its_config_and_layers(record: ImageRecord, format: Format) -> None:
    data, config = record.manifest(format), record.config()
    manifest = json.loads(data)
    assert media_type(data) == manifest["mediaType"] == format.value
    assert manifest["schemaVersion"] == 2
    assert manifest["config"] == {"mediaType": format.config, "digest": str(Digest.of(config)), "size": len(config)}
    assert [(la["digest"], la["size"], la["mediaType"]) for la in manifest["layers"]] == [
        named(layer, format) for layer in record.layers
    ]


def named(layer: Layer, format: Format) -> tuple[str, int, str]:
    """Of a layer that has a zstd form, OCI's format names that."""
    if layer.zstd is None or format is Format.DOCKER:
        return str(layer.digest), layer.size, format.layer
    return str(layer.zstd.digest), layer.zstd.size, "application/vnd.oci.image.layer.v1.tar+zstd"


@given(records)
def test_all_that_its_manifests_name_has_to_be_stored(record: ImageRecord) -> None:
    manifests = [json.loads(record.manifest(format)) for format in Format]
    said = {Digest.parse(blob["digest"]) for each in manifests for blob in (each["config"], *each["layers"])}
    assert said | {Digest.of(record.manifest(format)) for format in Format} <= set(record.blobs())


@given(layers)
def test_the_record_of_a_layer_without_zstd_says_nothing_of_it(layer: Layer) -> None:
    assert ("zstd" in encode_layer(layer)) == (layer.zstd is not None)


@given(records)
def test_a_config_has_a_diff_id_and_a_line_of_history_for_each_layer(record: ImageRecord) -> None:
    config = json.loads(record.config())
    assert config["rootfs"] == {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in record.layers]}
    assert [line["comment"] for line in config["history"]] == [layer.comment for layer in record.layers]
    assert (config["architecture"], config["os"]) == (record.platform.value, "linux")
    assert config["config"] == record.settings.render()


@given(records)
def test_only_a_manifest_in_oci_format_has_annotations(record: ImageRecord) -> None:
    created = {"org.opencontainers.image.created": "1970-01-01T00:00:01Z"}
    assert json.loads(record.manifest(Format.OCI))["annotations"] == created | dict(record.annotations)
    assert "annotations" not in json.loads(record.manifest(Format.DOCKER))


@pytest.mark.parametrize(
    ("format", "digest"),
    [
        (Format.OCI, "6a05db98871d30b9c341c09a8a4abd9db6d1b6b029d611c0f80a1f04e43db42e"),
        (Format.DOCKER, "2ac24f4da6190a3248ba31590c2300382c473d49ed08b347492ab8d3c63bf027"),
    ],
)
def test_the_digest_of_a_manifest_does_not_drift(format: Format, digest: str) -> None:
    assert Digest.of(RECORD.manifest(format)).hex == digest


def test_what_is_not_a_record_is_refused() -> None:
    good: dict[str, Any] = json.loads(RECORD.encode())
    layer = good["layers"][0]
    bad: list[object] = [None, [], 3, {}, {**good, "version": 1}, {**good, "platform": "vax"}, {**good, "layers": None}]
    bad += [{**good, "layers": [{**layer, **change}]} for change in WRONG]
    bad += [{**good, "layers": ["x"]}, {**good, "settings": None}, {**good, "settings": {"Cmd": "bash"}}]
    bad += [{**good, "annotations": None}, {**good, "annotations": ["x"]}]
    for value in bad:
        with pytest.raises(ValueError, match=r".+"):
            ImageRecord.decode(json.dumps(value).encode())


@given(st.binary())
def test_hostile_bytes_raise_nothing_but_value_errors(data: bytes) -> None:
    for read in (ImageRecord.decode, media_type):
        with pytest.raises(ValueError, match=r".*"):
            read(data)


def test_a_manifest_of_another_kind_has_no_media_type_here() -> None:
    with pytest.raises(ValueError, match=r".+"):
        media_type(b'{"mediaType": "application/vnd.oci.image.index.v1+json"}')

import json

import pytest

from nixery.images.digest import DiffID, Digest
from nixery.images.index import LEFT_OUT, ImageIndex, IndexFormat, IndexRecord, media_type
from nixery.images.manifest import Format, ImageRecord, Layer
from nixery.images.name import Platform

IMAGES = tuple(
    ImageRecord(platform, (Layer(DiffID.of(b"tar"), Digest.of(platform.value.encode()), 4),)) for platform in Platform
)


@pytest.mark.parametrize(("index", "single"), [*zip(IndexFormat, Format, strict=True)])
def test_an_index_names_the_manifest_of_each_platform_in_its_own_format(index: IndexFormat, single: Format) -> None:
    value = json.loads(ImageIndex(IMAGES).manifest(index))
    assert (value["schemaVersion"], value["mediaType"]) == (2, index.value)
    assert [entry["platform"] for entry in value["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    for entry, image in zip(value["manifests"], IMAGES, strict=True):
        manifest = image.manifest(single)
        assert (entry["digest"], entry["size"]) == (str(Digest.of(manifest)), len(manifest))
        assert entry["mediaType"] == single.value


def test_what_is_left_out_is_annotated_where_the_format_has_annotations() -> None:
    index = ImageIndex(IMAGES[:1], (("linux/arm64", "hello is not available for this platform"),))
    oci, docker = (json.loads(index.manifest(format)) for format in IndexFormat)
    assert oci["annotations"] == {LEFT_OUT + "linux/arm64": "hello is not available for this platform"}
    assert "annotations" not in docker
    assert "annotations" not in json.loads(ImageIndex(IMAGES).manifest(IndexFormat.OCI))


def test_an_index_says_its_own_media_type() -> None:
    for format in IndexFormat:
        assert media_type(ImageIndex(IMAGES).manifest(format)) == format.value
    for other in (IMAGES[0].manifest(Format.OCI), b"[]", b"{}", b"x"):
        with pytest.raises(ValueError, match="not an index|is not a valid|Expecting value"):
            media_type(other)


def test_an_annotation_is_written_in_one_way() -> None:
    index = ImageIndex(IMAGES[:1], (("linux/arm64", "größer"),))
    assert f'"{LEFT_OUT}linux/arm64":"größer"'.encode() in index.manifest(IndexFormat.OCI)


KEY, DIGEST = "0" * 64, Digest.of(b"manifest")


@pytest.mark.parametrize("left_out", [(), (("linux/arm64", "not for größer ones"),)])
def test_a_record_is_read_as_it_was_written(left_out: tuple[tuple[str, str], ...]) -> None:
    record = IndexRecord(((KEY, DIGEST), ("f" * 64, DIGEST)), left_out)
    assert IndexRecord.decode(record.encode()) == record


@pytest.mark.parametrize(
    "images", [[], [["../x", DIGEST.hex]], [[KEY, "../x"]], [[KEY, "F" * 64]], [[KEY + "\n", KEY]]]
)
def test_a_record_names_nothing_but_hashes(images: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="not an index's record"):
        IndexRecord.decode(json.dumps({"version": 2, "images": images, "left_out": []}).encode())

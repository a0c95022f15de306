"""OCI distribution-spec 1.1, category Pull: one check for each MUST and SHOULD of a registry.

Each class is a section, by its name; "end-3" and the like are the numbers in the spec's table "Endpoints".
"""

import json

import pytest

from nixery.errors import PackagesUnavailable
from nixery.images.digest import Digest
from nixery.images.manifest import Format
from tests.registry.wire import RECORD, World

ABSENT = Digest.of(b"absent")
BLOB = b"the bytes of a layer"
BLOB_PATH = f"/v2/git/blobs/{Digest.of(BLOB)}"
OCI = RECORD.manifest(Format.OCI)
BY_TAG, BY_DIGEST = "/v2/git/manifests/latest", f"/v2/git/manifests/{Digest.of(OCI)}"

manifests = pytest.mark.parametrize("path", [BY_TAG, BY_DIGEST])
contents = pytest.mark.parametrize("path", [BY_TAG, BY_DIGEST, BLOB_PATH])
others = pytest.mark.parametrize("digest", ["sha512:" + "a" * 128, "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3"])
formats = pytest.mark.parametrize("format", Format)


def world() -> World:
    """One that has an image, in both formats, and a blob."""
    made = World()
    made.storage.blobs[Digest.of(BLOB)] = BLOB
    for format in Format:
        manifest = RECORD.manifest(format)
        made.images.manifests[Digest.of(manifest)] = manifest
    return made


class TestRequirements:
    """Section "Requirements": a registry offers at least all of Pull."""

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @contents
    def test_all_of_pull_is_offered(self, path: str, method: str) -> None:
        assert world().ask(path, method).status == 200


class TestDeterminingSupport:
    """Section "Determining Support" (end-1)."""

    def test_the_registry_says_that_it_is_one(self) -> None:
        assert World().ask("/v2/").status == 200


class TestPullingManifests:
    """Section "Pulling manifests" (end-3)."""

    @pytest.mark.parametrize(
        "name", ["a", "0", "a.b", "a_b", "a__b", "a-b", "a---b", "a0.b1/c-2__d", "/".join(["a1"] * 80), "a" * 229]
    )
    def test_a_name_of_the_grammar_is_taken(self, name: str) -> None:
        assert world().ask(f"/v2/{name}/manifests/latest").status == 200

    @pytest.mark.parametrize("name", ["A", "a.", "-a", "a..b", "a___b", "a/-b", "a/B", "a_.b", "%C3%A9"])
    def test_a_name_of_no_grammar_is_not(self, name: str) -> None:
        asked = world()
        assert asked.ask(f"/v2/{name}/manifests/latest").status == 400
        assert asked.images.asked == []

    @pytest.mark.parametrize("tag", ["a", "Z", "_", "9", "v1.0-rc_1", "a" * 128, "_.-"])
    def test_a_tag_of_the_grammar_is_taken(self, tag: str) -> None:
        assert world().ask(f"/v2/git/manifests/{tag}").status == 200

    @pytest.mark.parametrize("reference", ["-a", ".a", "a" * 129, "a@b", "a+b", "sha256:12", ":"])
    def test_a_reference_in_another_form_names_nothing(self, reference: str) -> None:
        asked = world()
        assert asked.ask(f"/v2/git/manifests/{reference}").status in (400, 404)
        assert asked.images.asked == []

    @formats
    def test_the_content_type_is_that_of_the_manifest_and_of_its_media_type_field(self, format: Format) -> None:
        digest = Digest.of(RECORD.manifest(format))
        for reply in (world().ask(BY_TAG, Accept=format.value), world().ask(f"/v2/git/manifests/{digest}")):
            assert reply.headers.get_all("Content-Type") == [json.loads(reply.body)["mediaType"]] == [format.value]

    @manifests
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_the_content_type_has_no_parameters(self, path: str, method: str) -> None:
        assert ";" not in world().ask(path, method).headers["Content-Type"]

    @formats
    def test_an_accept_header_decides_between_what_there_is(self, format: Format) -> None:
        assert world().ask(BY_TAG, Accept=f"text/html, {format.value}").headers["Content-Type"] == format.value

    @formats
    def test_by_digest_the_expected_bytes_come_whatever_is_accepted(self, format: Format) -> None:
        manifest = RECORD.manifest(format)
        for accept in ({}, {"Accept": "*/*"}, *({"Accept": other.value} for other in Format)):
            reply = world().ask(f"/v2/git/manifests/{Digest.of(manifest)}", **accept)
            assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, manifest, format.value)

    @manifests
    def test_the_digest_of_the_answer_is_in_its_header(self, path: str) -> None:
        reply = world().ask(path)
        assert reply.headers.get_all("Docker-Content-Digest") == [str(Digest.of(reply.body))]

    def test_the_digest_of_a_tag_leads_to_the_same_bytes(self) -> None:
        by_tag = world().ask(BY_TAG)
        assert world().ask(f"/v2/git/manifests/{by_tag.headers['Docker-Content-Digest']}").body == by_tag.body

    def test_a_tag_of_an_image_that_cannot_be_is_not_found(self) -> None:
        without = world()
        without.images.error = PackagesUnavailable("gti is not in the package set")
        assert without.ask(BY_TAG).status == 404

    def test_a_digest_of_no_manifest_is_not_found(self) -> None:
        assert world().ask(f"/v2/git/manifests/{ABSENT}").status == 404

    @others
    def test_a_digest_of_another_algorithm_is_not_found(self, digest: str) -> None:
        reply = world().ask(f"/v2/git/manifests/{digest}")
        assert (reply.status, b"MANIFEST_UNKNOWN" in reply.body) == (404, True)

    def test_a_digest_of_a_blob_is_not_found(self) -> None:
        assert world().ask(f"/v2/git/manifests/{Digest.of(BLOB)}").status == 404


class TestPullingBlobs:
    """Section "Pulling blobs" (end-2)."""

    def test_a_blob_that_is_there_is_given(self) -> None:
        reply = world().ask(BLOB_PATH)
        assert (reply.status, reply.body) == (200, BLOB)

    @pytest.mark.parametrize("headers", [{}, {"Range": "bytes=3-8"}])
    def test_its_digest_is_in_the_header(self, headers: dict[str, str]) -> None:
        reply = world().ask(BLOB_PATH, **headers)
        assert reply.headers.get_all("Docker-Content-Digest") == [str(Digest.of(BLOB))]

    def test_a_blob_that_is_not_there_is_not_found(self) -> None:
        assert world().ask(f"/v2/git/blobs/{ABSENT}").status == 404

    @others
    def test_a_digest_of_another_algorithm_is_not_found(self, digest: str) -> None:
        reply = world().ask(f"/v2/git/blobs/{digest}")
        assert (reply.status, b"BLOB_UNKNOWN" in reply.body) == (404, True)

    @pytest.mark.parametrize(
        ("range", "part", "place"),
        [("bytes=4-", BLOB[4:], "4-19"), ("bytes=4-8", BLOB[4:9], "4-8"), ("bytes=-5", BLOB[-5:], "15-19")],
    )
    def test_a_range_is_given_alone(self, range: str, part: bytes, place: str) -> None:
        reply = world().ask(BLOB_PATH, Range=range)
        assert (reply.status, reply.body) == (206, part)
        assert reply.headers["Content-Range"] == f"bytes {place}/{len(BLOB)}"
        assert reply.headers["Content-Length"] == str(len(part))

    def test_ranges_are_said_to_be_served(self) -> None:
        assert world().ask(BLOB_PATH, "HEAD").headers["Accept-Ranges"] == "bytes"

    def test_a_range_past_the_end_is_refused_with_the_size(self) -> None:
        reply = world().ask(BLOB_PATH, Range=f"bytes={len(BLOB)}-")
        assert (reply.status, reply.headers["Content-Range"]) == (416, f"bytes */{len(BLOB)}")

    def test_a_range_that_means_nothing_is_passed_over(self) -> None:
        for range in ("bytes=8-4", "pages=1-2", "nonsense"):
            assert world().ask(BLOB_PATH, Range=range).body == BLOB

    def test_a_range_of_another_content_is_all_of_this_one(self) -> None:
        reply = world().ask(BLOB_PATH, Range="bytes=4-", If_Range=f'"{ABSENT}"')
        assert (reply.status, reply.body) == (200, BLOB)
        etag = world().ask(BLOB_PATH).headers["ETag"]
        assert world().ask(BLOB_PATH, Range="bytes=4-", If_Range=etag).status == 206

    def test_an_interrupted_blob_is_whole_after_a_resumed_pull(self) -> None:
        first = world().ask(BLOB_PATH, Range="bytes=0-6").body
        assert first + world().ask(BLOB_PATH, Range=f"bytes={len(first)}-").body == BLOB


class TestCheckingIfContentExistsInTheRegistry:
    """Section "Checking if content exists in the registry" (end-2 and end-3 by HEAD)."""

    @contents
    def test_what_is_there_is_said_to_be(self, path: str) -> None:
        reply = world().ask(path, "HEAD")
        assert (reply.status, reply.body) == (200, b"")

    @contents
    def test_its_digest_and_size_are_in_the_headers(self, path: str) -> None:
        get, head = world().ask(path), world().ask(path, "HEAD")
        assert head.headers.get_all("Content-Length") == [str(len(get.body))]
        assert head.headers.get_all("Docker-Content-Digest") == [str(Digest.of(get.body))]

    @formats
    def test_a_tag_is_checked_in_the_format_that_it_would_come_in(self, format: Format) -> None:
        reply = world().ask(BY_TAG, "HEAD", Accept=format.value)
        assert reply.headers["Docker-Content-Digest"] == str(Digest.of(RECORD.manifest(format)))

    @pytest.mark.parametrize("kind", ["manifests", "blobs"])
    def test_what_is_not_there_is_not_found(self, kind: str) -> None:
        reply = world().ask(f"/v2/git/{kind}/{ABSENT}", "HEAD")
        assert (reply.status, reply.body) == (404, b"")

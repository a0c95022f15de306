"""OCI distribution-spec 1.1, what holds beside the categories: error codes, warnings, and what is not offered.

Each class is a section, by its name; "code-7" and the like are the numbers in the spec's table "Error Codes".
"""

import json
import re

import pytest

from nixery.errors import PackagesUnavailable
from nixery.images.digest import Digest
from tests.registry.wire import World

ABSENT = Digest.of(b"absent")

CODES = {
    "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED", "DENIED",
    "UNSUPPORTED", "TOOMANYREQUESTS",
}  # fmt: skip

REFUSED = [
    ("GET", f"/v2/git/blobs/{ABSENT}", 404, "BLOB_UNKNOWN"),
    ("GET", "/v2/git/blobs/sha256:0", 400, "DIGEST_INVALID"),
    ("GET", f"/v2/git/manifests/{ABSENT}", 404, "MANIFEST_UNKNOWN"),
    ("GET", "/v2/git/manifests/sha256:0", 400, "DIGEST_INVALID"),
    ("GET", "/v2/Git/manifests/latest", 400, "NAME_INVALID"),
    ("GET", "/v2/git/referrers/sha256:0", 400, "DIGEST_INVALID"),
    ("GET", "/v2/git", 404, "NAME_UNKNOWN"),
    ("POST", "/v2/git/blobs/uploads/", 405, "UNSUPPORTED"),
    ("PUT", "/v2/git/manifests/latest", 405, "UNSUPPORTED"),
]


class TestErrorCodes:
    """Section "Error Codes"."""

    @pytest.mark.parametrize(("method", "path", "status", "code"), REFUSED)
    def test_a_body_has_the_form_of_errors_and_a_code_of_the_table(
        self, method: str, path: str, status: int, code: str
    ) -> None:
        reply = World().ask(path, method)
        assert (reply.status, reply.headers["Content-Type"]) == (status, "application/json")
        said = json.loads(reply.body)
        assert list(said) == ["errors"]
        (error,) = said["errors"]
        assert set(error) <= {"code", "message", "detail"}
        assert error["code"] == code
        assert code in CODES

    @pytest.mark.parametrize(("method", "path", "status", "code"), REFUSED)
    def test_a_code_is_of_capital_letters_and_underscores(self, method: str, path: str, status: int, code: str) -> None:
        (error,) = json.loads(World().ask(path, method).body)["errors"]
        assert re.fullmatch("[A-Z_]+", error["code"])

    def test_a_message_is_words_for_a_person(self) -> None:
        world = World()
        world.images.error = PackagesUnavailable("gti: there is no such package; did you mean git?")
        (error,) = json.loads(world.ask("/v2/gti/manifests/latest").body)["errors"]
        assert (error["code"], error["message"]) == ("MANIFEST_UNKNOWN", world.images.error.message)


class TestWarnings:
    """Section "Warnings"."""

    @pytest.mark.parametrize("words", ["plain", 'a "quoted" \\ word', "caf\u00e9\r\nX: y", "", "w" * 9000, '"' * 9000])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_a_warning_has_code_299_agent_dash_and_no_date(self, words: str, method: str) -> None:
        world = World()
        world.images.warning = words
        (warning,) = world.ask("/v2/git/manifests/latest", method).headers.get_all("Warning", [])
        assert re.fullmatch(r'299 - "(?:[ !#-\[\]-~]|\\["\\])*"', warning)

    def test_all_warnings_have_at_most_4096_bytes(self) -> None:
        world = World()
        world.images.warning = '"\\' * 9000
        warnings = world.ask("/v2/git/manifests/latest").headers.get_all("Warning", [])
        assert 0 < sum(map(len, warnings)) <= 4096


class TestDeletingTags:
    """Section "Deleting tags" (end-9): disabled."""

    @pytest.mark.parametrize("tag", ["latest", "gone"])
    def test_it_is_not_allowed(self, tag: str) -> None:
        assert World().ask(f"/v2/git/manifests/{tag}", "DELETE").status == 405


class TestDeletingManifests:
    """Section "Deleting Manifests" (end-9): disabled."""

    def test_it_is_not_allowed(self) -> None:
        assert World().ask(f"/v2/git/manifests/{ABSENT}", "DELETE").status == 405


class TestDeletingBlobs:
    """Section "Deleting Blobs" (end-10): disabled."""

    def test_it_is_not_allowed(self) -> None:
        assert World().ask(f"/v2/git/blobs/{ABSENT}", "DELETE").status == 405


class TestPush:
    """Section "Push" (end-4a to end-7, end-11): a category that is not offered, and says so at its first step."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v2/git/blobs/uploads/"),
            ("POST", f"/v2/git/blobs/uploads/?digest={ABSENT}"),
            ("POST", f"/v2/git/blobs/uploads/?mount={ABSENT}&from=hello"),
            ("PUT", "/v2/git/manifests/latest"),
            ("PUT", f"/v2/git/manifests/{ABSENT}"),
        ],
    )
    def test_nothing_is_taken_and_nothing_promised(self, method: str, path: str) -> None:
        reply = World().ask(path, method)
        assert (reply.status, "Location" in reply.headers) == (405, False)

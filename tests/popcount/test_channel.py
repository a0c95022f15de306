import lzma

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from nixery.errors import SourceUnavailable
from nixery.popcount import channel
from nixery.popcount.channel import digests, store_paths
from tests.popcount.web import FakeWeb

case = SynchronousTestCase()
A, B = "a" * 32, "b" * 32
PATHS = f"/nix/store/{A}-hello-1\n/nix/store/{B}-glibc-2\n".encode()
PACKED = lzma.compress(PATHS)
COMMIT = b"a" * 40


def listed(web: FakeWeb, url: str = "https://host") -> Deferred[list[str]]:
    return Deferred.fromCoroutine(store_paths(web, url, "nixos-1"))  # type: ignore[arg-type]  # only get is called


def test_the_paths_are_of_the_release_that_the_channel_is_at() -> None:
    revision = (200, COMMIT, "https://releases/nixos-1.2/git-revision")
    web = FakeWeb({"git-revision": revision, "store-paths.xz": (200, PACKED, "")})
    assert case.successResultOf(listed(web)) == [A, B]
    assert web.asked == ["https://host/nixos-1/git-revision", "https://releases/nixos-1.2/store-paths.xz"]


def test_a_mirror_without_redirects_is_asked_with_its_password() -> None:
    revision = (200, COMMIT + b"\n", "https://host/nixos-1/git-revision")
    web = FakeWeb({"git-revision": revision, "store-paths.xz": (200, PACKED, "")})
    assert case.successResultOf(listed(web, "https://me:secret@host/")) == [A, B]
    assert web.asked[1] == "https://me:secret@host/nixos-1/store-paths.xz"


@pytest.mark.parametrize(
    "pages",
    [
        {},
        {"git-revision": (200, b"<html>", "")},
        {"git-revision": (200, COMMIT, "")},
        {"git-revision": (200, COMMIT, ""), "store-paths.xz": (200, b"no xz", "")},
    ],
)
def test_what_is_no_channel_is_said_without_the_password(pages: dict[str, tuple[int, bytes, str]]) -> None:
    error = case.failureResultOf(listed(FakeWeb(pages), "https://me:secret@host"), SourceUnavailable).value
    assert "https://host/nixos-1" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("packed", [b"", PACKED[:-9], lzma.compress(b"x"), lzma.compress(PATHS + b"/tmp/x")])
def test_a_wrong_list_is_refused(packed: bytes) -> None:
    with pytest.raises((ValueError, lzma.LZMAError)):
        digests(packed)


def test_a_list_without_a_last_newline_and_over_many_pieces_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "_PIECE", 100)
    assert digests(lzma.compress((PATHS * 50)[:-1])) == [A, B] * 50


def test_a_list_that_unpacks_to_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "_MOST", 1000)
    with pytest.raises(ValueError, match="too long"):
        digests(lzma.compress(PATHS * 100_000))
    with pytest.raises(ValueError, match="too long"):
        digests(lzma.compress(b"/" * 10_000_000))

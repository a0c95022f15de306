"""Where paths are listed: channels, and the cache's answers, with a Web of the test's own."""

import lzma
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from nixery.errors import ConfigError, SourceUnavailable
from nixery.fetching.web import Page
from nixery.popcount import channel
from nixery.popcount.binary_cache import BinaryCache
from nixery.popcount.channel import digests, store_paths
from nixery.popcount.debian import counts_of_index

case = SynchronousTestCase()
A, B = "a" * 32, "b" * 32
PATHS = f"/nix/store/{A}-hello-1\n/nix/store/{B}-glibc-2\n".encode()


class FakeWeb:
    """Pages by URL: the status, the body, and where it was found."""

    def __init__(self, **pages: tuple[int, bytes, str]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def get(self, url: str, most: int) -> Page:
        self.asked.append(url)
        status, body, found = self.pages.get(
            url.rpartition("/")[2].partition(".")[0].replace("-", "_"), (404, b"", url)
        )
        if status == 0:
            raise SourceUnavailable("it is silent")
        return Page(status, found or url, body, None)


def listed(web: FakeWeb, url: str = "https://host") -> Deferred[list[str]]:
    return Deferred.fromCoroutine(store_paths(web, url, "nixos-1"))  # type: ignore[arg-type]  # only get is called


def test_the_paths_are_of_the_release_that_the_channel_is_at() -> None:
    revision = (200, b"a" * 40, "https://releases/nixos-1.2/git-revision")
    web = FakeWeb(git_revision=revision, store_paths=(200, lzma.compress(PATHS), ""))
    assert case.successResultOf(listed(web)) == [A, B]
    assert web.asked == ["https://host/nixos-1/git-revision", "https://releases/nixos-1.2/store-paths.xz"]


def test_a_mirror_without_redirects_is_asked_with_its_password() -> None:
    revision = (200, b"a" * 40 + b"\n", "https://host/nixos-1/git-revision")
    web = FakeWeb(git_revision=revision, store_paths=(200, lzma.compress(PATHS), ""))
    assert case.successResultOf(listed(web, "https://me:secret@host/")) == [A, B]
    assert web.asked[1] == "https://me:secret@host/nixos-1/store-paths.xz"


@pytest.mark.parametrize(
    "pages",
    [
        {},
        {"git_revision": (200, b"<html>", "")},
        {"git_revision": (200, b"a" * 40, "")},
        {"git_revision": (200, b"a" * 40, ""), "store_paths": (200, b"no xz", "")},
    ],
)
def test_what_is_no_channel_is_said_without_the_password(pages: dict[str, tuple[int, bytes, str]]) -> None:
    error = case.failureResultOf(listed(FakeWeb(**pages), "https://me:secret@host"), SourceUnavailable).value
    assert "https://host/nixos-1" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "packed", [b"", lzma.compress(PATHS)[:-9], lzma.compress(b"x"), lzma.compress(PATHS + b"/tmp/x")]
)
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


def asked(web: FakeWeb, clock: Clock) -> Deferred[tuple[str, ...] | None]:
    cache = BinaryCache("https://me:secret@host/", web, clock)  # type: ignore[arg-type]  # only get is called
    return Deferred.fromCoroutine(cache.references(A))


NARINFO = f"StorePath: /nix/store/{A}-hello-1\nReferences: {B}-glibc-2\n".encode()


def test_a_cache_tells_references() -> None:
    web = FakeWeb(**{A: (200, NARINFO, "")})
    assert case.successResultOf(asked(web, Clock())) == (f"{B}-glibc-2",)
    assert web.asked == [f"https://me:secret@host/{A}.narinfo"]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_path_may_be_missing(status: int) -> None:
    assert case.successResultOf(asked(FakeWeb(**{A: (status, b"", "")}), Clock())) is None


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    web, clock = FakeWeb(**{A: (status, b"", "")}), Clock()
    waiting = asked(web, clock)
    case.assertNoResult(waiting)
    clock.advance(1)
    web.pages[A] = (200, NARINFO, "")
    clock.advance(2)
    assert case.successResultOf(waiting) == (f"{B}-glibc-2",)


@pytest.mark.parametrize(("status", "words"), [(0, "silent"), (500, "status 500")])
def test_in_the_end_it_fails(status: int, words: str) -> None:
    web, clock = FakeWeb(**{A: (status, b"", "https://host/x")}), Clock()
    waiting = asked(web, clock)
    clock.pump([1, 2, 4])
    assert words in str(case.failureResultOf(waiting, SourceUnavailable).value)
    assert len(web.asked) == 4


@pytest.mark.parametrize(("status", "body"), [(401, b""), (200, b"<html>")])
def test_a_wrong_answer_is_said_at_once(status: int, body: bytes) -> None:
    web = FakeWeb(**{A: (status, body, "https://host/x")})
    error = case.failureResultOf(asked(web, Clock()), SourceUnavailable).value
    assert "https://host/x" in str(error)


def test_what_is_no_binary_cache_is_said() -> None:
    cache = BinaryCache("https://me:secret@host", FakeWeb(), Clock())  # type: ignore[arg-type]
    error = case.failureResultOf(Deferred.fromCoroutine(cache.check()), SourceUnavailable).value
    assert str(error) == "https://host is no binary cache: it has no nix-cache-info"


def test_an_index_counts_as_it_does_and_architectures_by_the_higher(tmp_path: Path) -> None:
    for architecture, text in {"amd64": '{"libc6-2": 5, "only": 1}', "arm64": '{"libc6-2": 7}'}.items():
        (tmp_path / architecture).mkdir()
        (tmp_path / architecture / "popularity.json").write_text(text)
    assert counts_of_index(tmp_path, []) == {"libc6-2": 7, "only": 1}
    assert counts_of_index(tmp_path, ["amd64"]) == {"libc6-2": 5, "only": 1}


@pytest.mark.parametrize("architectures", [[], ["riscv64"]])
def test_what_is_no_index_is_said(architectures: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        counts_of_index(tmp_path, architectures)

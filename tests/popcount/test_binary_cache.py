import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from nixery.errors import SourceUnavailable
from nixery.popcount.binary_cache import BinaryCache
from tests.popcount.web import SILENT, FakeWeb

case = SynchronousTestCase()
A, B = "a" * 32, "b" * 32
PAGE = f"{A}.narinfo"
NARINFO = f"StorePath: /nix/store/{A}-hello-1\nReferences: {B}-glibc-2\n".encode()


def asked(web: FakeWeb, clock: Clock) -> Deferred[tuple[str, ...] | None]:
    cache = BinaryCache("https://me:secret@host/", web, clock)  # type: ignore[arg-type]  # only get is called
    return Deferred.fromCoroutine(cache.references(A))


def test_a_cache_tells_references() -> None:
    web = FakeWeb({PAGE: (200, NARINFO, "")})
    assert case.successResultOf(asked(web, Clock())) == (f"{B}-glibc-2",)
    assert web.asked == [f"https://me:secret@host/{PAGE}"]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_path_may_be_missing(status: int) -> None:
    assert case.successResultOf(asked(FakeWeb({PAGE: (status, b"", "")}), Clock())) is None


@pytest.mark.parametrize("status", [SILENT, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    web, clock = FakeWeb({PAGE: (status, b"", "")}), Clock()
    waiting = asked(web, clock)
    case.assertNoResult(waiting)
    clock.advance(1)
    web.pages[PAGE] = (200, NARINFO, "")
    clock.advance(2)
    assert case.successResultOf(waiting) == (f"{B}-glibc-2",)


@pytest.mark.parametrize(("status", "words"), [(SILENT, "silent"), (500, "status 500")])
def test_in_the_end_it_fails(status: int, words: str) -> None:
    web, clock = FakeWeb({PAGE: (status, b"", "https://host/x")}), Clock()
    waiting = asked(web, clock)
    clock.pump([1, 2, 4])
    assert words in str(case.failureResultOf(waiting, SourceUnavailable).value)
    assert len(web.asked) == 4


@pytest.mark.parametrize(("status", "body"), [(401, b""), (200, b"<html>")])
def test_a_wrong_answer_is_said_at_once(status: int, body: bytes) -> None:
    web = FakeWeb({PAGE: (status, body, "https://host/x")})
    error = case.failureResultOf(asked(web, Clock()), SourceUnavailable).value
    assert "https://host/x" in str(error)


def test_what_is_no_binary_cache_is_said() -> None:
    cache = BinaryCache("https://me:secret@host", FakeWeb({}), Clock())  # type: ignore[arg-type]
    error = case.failureResultOf(Deferred.fromCoroutine(cache.check()), SourceUnavailable).value
    assert str(error) == "https://host is no binary cache: it has no nix-cache-info"

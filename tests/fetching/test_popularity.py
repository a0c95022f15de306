import os
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from nixery.concurrency.pool import Inline
from nixery.errors import SourceUnavailable
from nixery.fetching import popularity
from nixery.fetching.popularity import Known, Place, place_of
from nixery.fetching.web import Page

URL = "https://me:secret@host/popularity.json?token"
case = SynchronousTestCase()


class FakeWeb:
    """Gives the answers that it was given, and keeps what it was asked."""

    def __init__(self, *answers: Page | SourceUnavailable) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self._answers = list(answers)

    async def get(self, url: str, most: int, etag: str | None = None) -> Page:
        self.asked.append((url, etag))
        answer = self._answers.pop(0)
        return await (fail(answer) if isinstance(answer, SourceUnavailable) else succeed(answer))


def page(body: bytes, etag: str | None = '"one"', status: int = 200) -> Page:
    return Page(status, "https://host/popularity.json", body, etag)


def remote(folder: Path, *answers: Page | SourceUnavailable) -> tuple[Place, FakeWeb]:
    web = FakeWeb(*answers)
    return place_of(URL, web, str(folder), Inline()), web  # type: ignore[arg-type]  # only get is called


def newest(place: Place, known: Known | None = None) -> Known:
    return case.successResultOf(Deferred.fromCoroutine(place.newest(known)))


def test_a_page_is_remembered_with_its_etag(tmp_path: Path) -> None:
    place, _ = remote(tmp_path, page(b'{"glibc": 5000}'))
    assert place.at_hand() is None
    known = newest(place)
    assert known.popularity.counts == {"glibc": 5000}
    again, _ = remote(tmp_path)
    assert again.at_hand() == known == Known(known.popularity, '"one"')


def test_a_page_without_an_etag_is_remembered_too(tmp_path: Path) -> None:
    place, _ = remote(tmp_path, page(b'{"glibc": 5000}', None))
    assert newest(place) == remote(tmp_path)[0].at_hand()


def test_a_page_is_asked_for_by_the_etag_of_the_last_one(tmp_path: Path) -> None:
    place, web = remote(tmp_path, page(b'{"glibc": 5000}'), page(b"", status=304), page(b'{"glibc": 6000}', '"two"'))
    known = newest(place)
    assert newest(place, known) is known
    assert newest(place, known).popularity.counts == {"glibc": 6000}
    assert web.asked == [(URL, None), (URL, '"one"'), (URL, '"one"')]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"a": -1}', b'{"a": 1.5}', b'{"a": NaN}', b"<html>", b"[" * 100_000, b'{"\\ud800": "\xff"}']
)
def test_a_malformed_page_is_refused_and_not_remembered(body: bytes, tmp_path: Path) -> None:
    place, _ = remote(tmp_path, page(b'{"glibc": 5000}'), page(body, '"two"'))
    known = newest(place)
    case.failureResultOf(Deferred.fromCoroutine(place.newest(known)), ValueError)
    assert place.at_hand() == known


@pytest.mark.parametrize("status", [204, 304, 404, 500])
def test_another_status_is_refused(status: int, tmp_path: Path) -> None:
    place, _ = remote(tmp_path, page(b"{}", status=status))
    error = case.failureResultOf(Deferred.fromCoroutine(place.newest(None)), SourceUnavailable).value
    assert str(error) == f"https://host/popularity.json is answered with status {status}"


@pytest.mark.parametrize(
    "damage", [b"", b"null", b"null\n", b"\xff\n{}", b'"one"\n{"a"', b'"one"\n' + b"[" * 100_000, b"[" * 100_000]
)
def test_a_damaged_file_counts_as_none(damage: bytes, tmp_path: Path) -> None:
    place, _ = remote(tmp_path, page(b'{"glibc": 5000}'))
    newest(place)
    [file] = tmp_path.iterdir()
    file.write_bytes(damage)
    assert place.at_hand() is None


def test_what_is_remembered_tells_no_password_and_is_of_one_url(tmp_path: Path) -> None:
    place, _ = remote(tmp_path, page(b"{}"))
    newest(place)
    [file] = tmp_path.iterdir()
    assert (len(file.name), b"secret" in file.read_bytes(), "secret" in place.words) == (64, False, False)
    other = place_of("https://host/other.json", FakeWeb(), str(tmp_path), Inline())  # type: ignore[arg-type]
    assert other.at_hand() is None


def test_a_host_that_stops_while_a_page_is_written_keeps_the_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _ = remote(tmp_path, page(b'{"glibc": 5000}'), page(b'{"glibc": 6000}'))
    known = newest(place)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert newest(place, known).popularity.counts == {"glibc": 6000}
    assert place.at_hand() == known


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_file_is_read_anew(scheme: str, tmp_path: Path) -> None:
    file = tmp_path / "popularity.json"
    file.write_text('{"glibc": 5000}')
    place = place_of(f"{scheme}{file}", FakeWeb(), "/nowhere", Inline())  # type: ignore[arg-type]
    known = place.at_hand()
    file.write_text('{"glibc": 6000}')
    assert newest(place, known).popularity.counts == {"glibc": 6000}


@pytest.mark.parametrize("text", [None, "nonsense", "[" * 100_000])
def test_a_wrong_file_is_an_error_at_once(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "popularity.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises((OSError, ValueError)):
        place_of(str(file), FakeWeb(), "/nowhere", Inline()).at_hand()  # type: ignore[arg-type]


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popularity, "MOST", 10)
    file = tmp_path / "popularity.json"
    file.write_bytes(b"{}" + b" " * (1 << 17))
    with pytest.raises(ValueError, match="more than 10 bytes"):
        place_of(str(file), FakeWeb(), "/nowhere", Inline()).at_hand()  # type: ignore[arg-type]

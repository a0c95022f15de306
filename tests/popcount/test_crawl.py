import sqlite3
from pathlib import Path

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from nixery.errors import ConfigError, SourceUnavailable
from nixery.popcount.crawl import Crawl, Found, Step
from nixery.popcount.remembered import Remembered

case = SynchronousTestCase()
A, B, C, D = (letter * 32 for letter in "abcd")


class Cache:
    """A binary cache whose answers come when the test says so; a chain of paths, `missing` not being there."""

    def __init__(self, **references: tuple[str, ...]) -> None:
        self.references = references
        self.asked: list[str] = []
        self.waiting: dict[str, Deferred[None]] = {}
        self.cancelled = 0

    async def ask(self, digest: str) -> tuple[str, ...] | None:
        self.asked.append(digest[0])
        self.waiting[digest[0]] = Deferred()
        try:
            await self.waiting[digest[0]]
        except CancelledError:
            self.cancelled += 1
            raise
        found = self.references.get(digest[0])
        return None if found is None else tuple(f"{letter * 32}-{letter}-1" for letter in found)

    def answer(self) -> None:
        while self.waiting:
            self.waiting.pop(next(iter(self.waiting))).callback(None)


def begin(
    cache: Cache, file: Path, *digests: str, at_once: int = 32, step: Step = lambda done, total: None
) -> Deferred[Found]:
    async def count() -> Found:
        with Remembered(file) as remembered:
            return await Crawl(cache.ask, remembered, at_once, step).of(digests)

    return Deferred.fromCoroutine(count())


def test_a_closure_is_walked_and_counted(tmp_path: Path) -> None:
    cache = Cache(a=("a", "c"), b=("c",), c=("d",))
    steps: list[tuple[int, int]] = []
    found = begin(cache, tmp_path / "known", A, B, step=lambda *step: steps.append(step))
    cache.answer()
    result = case.successResultOf(found)
    assert ([done for done, _ in steps], steps[-1]) == ([1, 2, 3, 4], (4, 4))
    assert (result.counts.of_shared(), result.asked, result.missing) == ({"c-1": 2}, 4, 1)
    assert sorted(cache.asked) == ["a", "b", "c", "d"]


def test_no_more_than_so_many_are_asked_at_once(tmp_path: Path) -> None:
    cache = Cache()
    found = begin(cache, tmp_path / "known", A, B, C, D, at_once=2)
    assert cache.asked == ["a", "b"]
    cache.waiting.pop("a").callback(None)
    assert cache.asked == ["a", "b", "c"]
    cache.answer()
    assert case.successResultOf(found).missing == 4


def test_an_interrupted_walk_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Cache(a=("c",), b=("c",))
    found = begin(first, tmp_path / "known", A, B)
    first.waiting["a"].callback(None)
    first.waiting["b"].errback(SourceUnavailable("it is gone"))
    case.failureResultOf(found, SourceUnavailable)
    second = Cache(b=("c",), c=())
    found = begin(second, tmp_path / "known", A, B)
    second.answer()
    assert case.successResultOf(found).counts.of_shared() == {"c-1": 2}
    assert sorted(second.asked) == ["b", "c"]


def test_a_failure_leaves_nothing_under_way(tmp_path: Path) -> None:
    cache = Cache()
    found = begin(cache, tmp_path / "known", A, B, C)
    cache.waiting["b"].errback(SourceUnavailable("it is gone"))
    case.failureResultOf(found, SourceUnavailable)
    assert cache.cancelled == 2


def test_what_is_missing_is_asked_for_again_next_time(tmp_path: Path) -> None:
    for references in ({}, {"a": ()}):
        cache = Cache(**references)
        found = begin(cache, tmp_path / "known", A)
        cache.answer()
        assert case.successResultOf(found).missing == (0 if references else 1)


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "known").write_text("nonsense" * 1000)
    with pytest.raises(ConfigError, match="remove it"):
        Remembered(tmp_path / "known")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with Remembered(tmp_path / "known") as remembered:
        other = sqlite3.connect(tmp_path / "known")
        other.execute("DROP TABLE narinfo")
        with pytest.raises(ConfigError):
            remembered.keep(A, ())
        with pytest.raises(ConfigError):
            remembered.get(A)
        other.close()

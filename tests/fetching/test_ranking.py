from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.web.http import Request

from nixery.concurrency.pool import Threads
from nixery.errors import SourceUnavailable
from nixery.fetching.popularity import Known, place_of
from nixery.fetching.ranking import Ranking
from nixery.fetching.web import Web
from tests.fetching.servers import pages, turn

OLD, NEW = Known.parse(b'{"glibc": 5000}'), Known.parse(b'{"glibc": 6000}')
DAY = 86400.0


class FakePlace:
    """A place where each look is answered by the test."""

    words = "https://host/popularity.json"

    def __init__(self, at_hand: Known | None = None) -> None:
        self.looks: list[tuple[Known | None, Deferred[Known]]] = []
        self._at_hand = at_hand

    def at_hand(self) -> Known | None:
        return self._at_hand

    async def newest(self, known: Known | None) -> Known:
        self.looks.append((known, Deferred()))
        return await self.looks[-1][1]


def started(place: FakePlace, clock: Clock) -> Ranking:
    ranking = Ranking(place, clock, DAY)
    ranking.startService()
    return ranking


Lines = Callable[[], list[str]]


@pytest.fixture
def log() -> Iterator[Lines]:
    """What the room has logged so far."""
    with capturedLogs() as events:
        yield lambda: [formatEvent(e) for e in events if str(e.get("log_namespace")).startswith("nixery.fetching")]


def test_the_start_waits_for_nothing_and_has_what_is_remembered() -> None:
    place = FakePlace(OLD)
    ranking = started(place, Clock())
    assert ranking.current() is OLD.popularity
    place.looks[0][1].callback(NEW)
    assert ranking.current() is NEW.popularity


def test_nothing_is_known_before_the_first_answer() -> None:
    ranking = started(FakePlace(), Clock())
    assert ranking.current() is None


def test_it_looks_again_after_its_time() -> None:
    clock, place = Clock(), FakePlace()
    ranking = started(place, clock)
    place.looks[0][1].callback(OLD)
    clock.advance(DAY - 1)
    assert len(place.looks) == 1
    clock.advance(1)
    assert place.looks[1][0] is OLD
    place.looks[1][1].callback(NEW)
    assert ranking.current() is NEW.popularity


@pytest.mark.parametrize("error", [SourceUnavailable("it is silent"), ValueError("it is HTML"), OSError(2, "gone")])
def test_a_failure_keeps_what_was_and_is_one_line(error: Exception, log: Lines) -> None:
    place = FakePlace(OLD)
    ranking = started(place, Clock())
    place.looks[0][1].errback(error)
    assert ranking.current() is OLD.popularity
    assert log() == [
        f"the popularity of {place.words} cannot be renewed: {error}; the last one that was had is used",
    ]


def test_a_failure_at_first_says_that_each_image_is_counted(log: Lines) -> None:
    place = FakePlace()
    ranking = started(place, Clock())
    place.looks[0][1].errback(SourceUnavailable("it is silent"))
    assert ranking.current() is None
    assert log()[0].endswith("it is silent; what is counted from each image is used")


def test_after_failures_it_tries_sooner_and_then_less_and_less() -> None:
    clock, place = Clock(), FakePlace()
    started(place, clock)
    pauses = []
    for _ in range(14):
        before = clock.seconds()
        place.looks[-1][1].errback(SourceUnavailable("it is silent"))
        clock.advance(clock.getDelayedCalls()[0].getTime() - before)
        pauses.append(clock.seconds() - before)
    assert pauses[:4] == [60, 120, 240, 480]
    assert pauses[-1] == DAY
    place.looks[-1][1].callback(OLD)
    clock.advance(DAY)
    place.looks[-1][1].errback(SourceUnavailable("it is silent"))
    assert clock.getDelayedCalls()[0].getTime() - clock.seconds() == 60


@pytest.mark.parametrize("looking", [True, False])
def test_when_stopped_it_looks_no_more(looking: bool, log: Lines) -> None:
    clock, place = Clock(), FakePlace()
    ranking = started(place, clock)
    if not looking:
        place.looks[0][1].callback(OLD)
    stopped = ranking.stopService()
    assert stopped.called
    assert (clock.getDelayedCalls(), len(place.looks)) == ([], 1)
    assert not any("no more" in line or "cannot" in line for line in log())


@pytest_twisted.ensureDeferred
async def test_a_page_is_had_over_http_parsed_in_a_thread_and_remembered(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        return b"" if request.setETag(b'"one"') else b'{"glibc": 5000}'

    threads = Threads(reactor, 1, "files")  # type: ignore[arg-type]  # a module to mypy
    web = Web(reactor)  # type: ignore[arg-type]
    threads.startService()
    async with pages(answer) as (host, site):
        clock = Clock()
        place = place_of(f"http://{host}/p.json", web, str(tmp_path), threads)
        ranking = Ranking(place, clock, DAY)
        ranking.startService()
        while not clock.getDelayedCalls():
            await turn()
        first = ranking.current()
        clock.advance(DAY)
        while not clock.getDelayedCalls():
            await turn()
        await ranking.stopService()
        assert first is not None
        assert ranking.current() is first
        assert site.asked == ["/p.json"] * 2
    await threads.stopService()
    restarted = Ranking(place, clock, DAY)
    assert restarted.current() == first

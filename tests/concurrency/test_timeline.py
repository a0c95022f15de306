from contextvars import copy_context

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.timeline import Timeline, note


async def asked(clock: Clock, go: "Deferred[None]", works: Coalescer[str, None]) -> Timeline:
    timeline = Timeline.begin(clock)

    async def work() -> None:
        await go
        note("made")

    await works.join("key", work)
    return timeline


def test_steps_are_told_in_milliseconds_from_the_beginning_in_their_order() -> None:
    clock = Clock()
    clock.advance(1000)
    timeline = Timeline(clock)
    clock.advance(0.25)
    timeline.note("pinned")
    clock.advance(1)
    timeline.note("answered")
    assert str(timeline) == "pinned 250, answered 1250"


def test_what_is_done_several_times_is_told_from_the_first_to_the_last() -> None:
    clock = Clock()
    timeline = Timeline(clock)
    for _ in range(3):
        clock.advance(1)
        timeline.note("layer stored")
    assert str(timeline) == "layer stored 1000-3000"
    assert "layer stored" in timeline
    assert "pinned" not in timeline


def test_shared_work_notes_its_steps_with_whoever_asked_first() -> None:
    clock, go, works = Clock(), Deferred[None](), Coalescer[str, None](None)
    told: list[str] = []
    for _ in range(2):
        Deferred.fromCoroutine(asked(clock, go, works)).addCallback(lambda timeline: told.append(str(timeline)))
    clock.advance(2)
    go.callback(None)
    assert told == ["made 2000", ""]


def test_work_of_no_request_notes_nothing() -> None:
    another = copy_context().run(Timeline.begin, Clock())
    note("made")
    assert str(another) == ""

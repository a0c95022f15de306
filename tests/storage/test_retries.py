"""Asking again: how often, how long, and when not."""

from collections.abc import Callable
from random import Random
from typing import ParamSpec, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from nixery.concurrency.pool import Inline
from nixery.errors import ShuttingDown, StorageUnavailable
from nixery.storage.bucket import BucketError
from nixery.storage.retries import Outcome, Retries

P = ParamSpec("P")
T = TypeVar("T")


class Held:
    """A pool that has no thread yet."""

    def __init__(self) -> None:
        self.thread: Deferred[None] = Deferred()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        await self.thread
        return function(*args, **kwargs)


class Calls:
    """A function that fails some times, and when it was called."""

    def __init__(self, clock: Clock, failures: int, passing: bool = True) -> None:
        self.at: list[float] = []
        self._clock = clock
        self._failures = failures
        self._passing = passing

    def __call__(self) -> str:
        self.at.append(self._clock.seconds())
        if len(self.at) <= self._failures:
            raise BucketError("it is away", self._passing)
        return "done"


def outcome(clock: Clock, call: Callable[[], str], seconds: float) -> Deferred[Outcome[str]]:
    asked = Deferred.fromCoroutine(Retries(Inline(), clock, "the bucket", Random(1)).outcome(call))
    for _ in range(int(seconds * 100)):
        clock.advance(0.01)
    return asked


def result(asked: Deferred[Outcome[str]]) -> Outcome[str]:
    found: list[Outcome[str]] = []
    asked.addCallback(found.append)
    return found[0]


def failure(asked: Deferred[Outcome[str]]) -> str:
    words: list[str] = []
    asked.addErrback(lambda caught: words.append(caught.trap(StorageUnavailable) and caught.getErrorMessage()))
    return words[0]


def test_what_is_done_at_once_is_sure() -> None:
    assert result(outcome(Clock(), lambda: "done", 0)) == Outcome("done", unsure=False)


def test_what_passes_is_tried_again_later_and_later_and_is_unsure() -> None:
    clock = Clock()
    calls = Calls(clock, 8)
    assert result(outcome(clock, calls, 40)) == Outcome("done", unsure=True)
    waits = [later - before for before, later in zip(calls.at, calls.at[1:], strict=False)]
    assert all(wait <= min(5.0, 0.2 * 2**number) + 0.02 for number, wait in enumerate(waits))
    assert len({round(wait, 1) for wait in waits}) > 3, "no two instances ask in step"


def test_an_outage_of_half_a_minute_is_outlasted() -> None:
    clock = Clock()

    def call() -> str:
        if clock.seconds() < 30:
            raise BucketError("it is away", passing=True)
        return "done"

    assert result(outcome(clock, call, 40)).value == "done"


def test_a_minute_is_the_end() -> None:
    clock = Clock()
    calls = Calls(clock, 1000)
    words = failure(outcome(clock, calls, 70))
    assert words == f"the bucket: it is away (tried {len(calls.at)} times)"
    assert 50 < calls.at[-1] <= 60
    assert not clock.getDelayedCalls()


def test_what_does_not_pass_is_not_tried_again() -> None:
    clock = Clock()
    calls = Calls(clock, 1, passing=False)
    assert failure(outcome(clock, calls, 70)) == "the bucket: it is away"
    assert len(calls.at) == 1


def test_other_errors_are_faults_of_ours() -> None:
    def call() -> str:
        raise ZeroDivisionError

    asked = outcome(Clock(), call, 1)
    caught: list[type[BaseException] | None] = []
    asked.addErrback(lambda failure: caught.append(failure.check(ZeroDivisionError)))
    assert caught == [ZeroDivisionError]


def caught(asked: Deferred[Outcome[str]]) -> list[type[BaseException] | None]:
    """What it failed with."""
    kinds: list[type[BaseException] | None] = []
    asked.addErrback(lambda failure: kinds.append(failure.type))
    return kinds


def test_closing_ends_a_wait_at_once_and_leaves_no_timer() -> None:
    clock = Clock()
    retries = Retries(Inline(), clock, "the bucket", Random(1))
    asked = Deferred.fromCoroutine(retries.outcome(Calls(clock, 1)))
    assert not asked.called
    retries.close()
    assert caught(asked) == [ShuttingDown]
    assert not clock.getDelayedCalls()


def test_what_waits_for_a_thread_when_all_is_closed_is_not_called() -> None:
    clock, held = Clock(), Held()
    retries, calls = Retries(held, clock, "the bucket", Random(1)), Calls(clock, 0)
    asked = Deferred.fromCoroutine(retries.outcome(calls))
    retries.close()
    held.thread.callback(None)
    assert caught(asked) == [ShuttingDown]
    assert not calls.at


def test_what_fails_after_the_close_is_not_tried_again() -> None:
    clock = Clock()
    retries = Retries(Inline(), clock, "the bucket", Random(1))

    def call() -> str:
        retries.close()
        raise BucketError("it is away", passing=True)

    assert caught(Deferred.fromCoroutine(retries.outcome(call))) == [ShuttingDown]
    assert not clock.getDelayedCalls()


def test_a_caller_that_leaves_waits_no_longer() -> None:
    clock = Clock()
    asked = Deferred.fromCoroutine(Retries(Inline(), clock, "the bucket", Random(1)).outcome(Calls(clock, 1)))
    asked.cancel()
    assert caught(asked) == [CancelledError]
    assert not clock.getDelayedCalls()

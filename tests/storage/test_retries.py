"""Asking again: how often, how long, and when not."""

from collections.abc import Callable
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.concurrency.pool import Inline
from nixery.errors import StorageUnavailable
from nixery.storage.bucket import BucketError
from nixery.storage.retries import Outcome, Retries


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

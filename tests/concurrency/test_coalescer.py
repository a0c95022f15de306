import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from nixery.concurrency.coalescer import Coalescer, Hold
from nixery.errors import BuildFailed, ShuttingDown, StillBuilding


class Work:
    """Work whose pieces are started by a coalescer and ended by the test."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.cancelled: list[str] = []
        self.running: dict[str, Deferred[str]] = {}

    async def do(self, key: str) -> str:
        self.started.append(key)
        running = self.running[key] = Deferred(lambda _: self.cancelled.append(key))
        return await running


class CoalescerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.work = Work()
        self.coalescer: Coalescer[str, str] = Coalescer(2)

    def join(self, key: str, hold: float | None = None) -> Deferred[str]:
        return self.coalescer.join(key, lambda: self.work.do(key), None if hold is None else Hold(hold, self.clock))

    def test_many_waiters_share_one_piece_of_work(self) -> None:
        waiters = [self.join("a") for _ in range(20)]
        assert self.work.started == ["a"]
        assert len(set(waiters)) == 20, "a Deferred of its own for each"
        self.work.running["a"].callback("image")
        assert [self.successResultOf(waiter) for waiter in waiters] == ["image"] * 20
        assert len(self.coalescer) == 0

    def test_a_waiter_that_spoils_its_result_spoils_nobody_elses(self) -> None:
        first, second = self.join("a"), self.join("a")
        first.addCallback(lambda _: 1 / 0)
        self.work.running["a"].callback("image")
        self.failureResultOf(first, ZeroDivisionError)
        assert self.successResultOf(second) == "image"

    def test_waiters_that_leave_disturb_nobody(self) -> None:
        waiters = [self.join("a") for _ in range(20)]
        for waiter in waiters[1:]:
            waiter.cancel()
            self.failureResultOf(waiter, CancelledError)
        self.work.running["a"].callback("image")
        assert self.successResultOf(waiters[0]) == "image"
        assert self.work.cancelled == []

    def test_work_that_runs_goes_on_without_waiters(self) -> None:
        waiter = self.join("a")
        waiter.cancel()
        self.failureResultOf(waiter, CancelledError)
        again = self.join("a")
        assert self.work.started == ["a"]
        self.work.running["a"].callback("image")
        assert self.successResultOf(again) == "image"

    def test_work_that_is_queued_is_dropped_with_its_last_waiter(self) -> None:
        self.join("a")
        self.join("b")
        third, fourth = self.join("c"), self.join("d")
        third.cancel()
        self.failureResultOf(third, CancelledError)
        self.work.running["a"].callback("image")
        assert self.work.started == ["a", "b", "d"]
        self.work.running["d"].callback("image d")
        assert self.successResultOf(fourth) == "image d"

    def test_a_failure_reaches_each_waiter_and_is_not_remembered(self) -> None:
        waiters = [self.join("a") for _ in range(3)]
        self.work.running["a"].errback(BuildFailed("no"))
        for waiter in waiters:
            self.failureResultOf(waiter, BuildFailed)
        self.join("a")
        assert self.work.started == ["a", "a"]

    def test_a_waiter_is_held_for_its_time_and_the_work_goes_on(self) -> None:
        impatient, patient = self.join("a", hold=240), self.join("a")
        self.clock.advance(239)
        self.assertNoResult(impatient)
        self.clock.advance(1)
        self.failureResultOf(impatient, StillBuilding)
        self.assertNoResult(patient)
        self.work.running["a"].callback("image")
        assert self.successResultOf(patient) == "image"

    def test_work_that_somebody_was_promised_stays_in_the_queue(self) -> None:
        self.join("a")
        self.join("b")
        promised = self.join("c", hold=240)
        self.clock.advance(240)
        self.failureResultOf(promised, StillBuilding)
        self.work.running["a"].callback("image")
        assert self.work.started == ["a", "b", "c"]

    def test_timers_end_with_their_waiters(self) -> None:
        self.join("a", hold=240)
        self.join("a", hold=240).addErrback(lambda _: None).cancel()
        self.work.running["a"].callback("image")
        assert self.clock.getDelayedCalls() == []

    def test_close_cancels_what_runs_and_tells_all_waiters(self) -> None:
        waiters = [self.join(key) for key in "aabc"]
        closed = self.coalescer.close()
        assert sorted(self.work.cancelled) == ["a", "b"]
        self.successResultOf(closed)
        for waiter in waiters:
            self.failureResultOf(waiter, ShuttingDown)
        self.failureResultOf(self.join("d"), ShuttingDown)

    def test_a_failure_that_nobody_waits_for_is_logged(self) -> None:
        waiter = self.join("a")
        waiter.cancel()
        self.failureResultOf(waiter, CancelledError)
        self.work.running["a"].errback(RuntimeError("a fault of ours"))
        assert len(self.coalescer) == 0
        assert len(self.flushLoggedErrors(RuntimeError)) == 1

    def test_work_that_ends_at_once_is_no_special_case(self) -> None:
        async def at_once() -> str:
            return "image"

        assert self.successResultOf(self.coalescer.join("a", at_once)) == "image"
        assert len(self.coalescer) == 0


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_than_the_limit_run_at_once_and_in_order(limit: int) -> None:
    work = Work()
    coalescer: Coalescer[str, str] = Coalescer(limit)
    keys = "abcdefgh"
    for key in keys:
        coalescer.join(key, lambda key=key: work.do(key))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    for ended in range(len(keys)):
        assert work.started == list(keys[: ended + limit])
        work.running[keys[ended]].callback("done")

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from nixery.concurrency.abreast import abreast

case = SynchronousTestCase()


class Work:
    """Work on numbers, each done when the test says so."""

    def __init__(self, numbers: int, most: int) -> None:
        self.under_way: dict[int, Deferred[None]] = {}
        self.cancelled: list[int] = []
        self.all = Deferred.fromCoroutine(abreast(range(numbers), most, self._work))

    async def _work(self, number: int) -> None:
        self.under_way[number] = Deferred()
        try:
            await self.under_way[number]
        except CancelledError:
            self.cancelled.append(number)
            raise

    def end(self, number: int) -> None:
        self.under_way.pop(number).callback(None)


def test_few_are_under_way_at_once_and_all_are_done() -> None:
    work = Work(5, most=2)
    for taken, done in [([0, 1], 1), ([0, 2], 0), ([2, 3], 3), ([2, 4], 2), ([4], 4)]:
        assert sorted(work.under_way) == taken
        assert not work.all.called
        work.end(done)
    assert case.successResultOf(work.all) is None


def test_nothing_to_do_is_done() -> None:
    assert case.successResultOf(Work(0, most=3).all) is None


def test_the_first_failure_ends_it_with_nothing_left_under_way() -> None:
    work = Work(5, most=3)
    work.under_way[1].errback(ValueError("no"))
    case.failureResultOf(work.all, ValueError)
    assert work.cancelled == [0, 2]


def test_cancelling_ends_what_is_under_way() -> None:
    work = Work(5, most=2)
    work.all.cancel()
    case.failureResultOf(work.all, CancelledError)
    assert (work.cancelled, sorted(work.under_way)) == ([0, 1], [0, 1])


def test_a_long_row_of_quick_work_needs_no_deep_stack() -> None:
    done: list[int] = []

    async def quick(number: int) -> None:
        done.append(number)

    case.successResultOf(Deferred.fromCoroutine(abreast(range(10_000), 3, quick)))
    assert done == list(range(10_000))

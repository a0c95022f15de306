from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from nixery.concurrency.turns import Turns


class TurnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.looks: list[Deferred[str]] = []
        self.turns = Turns(self.look)

    async def look(self) -> str:
        look: Deferred[str] = Deferred()
        self.looks.append(look)
        return await look

    def test_who_asks_while_one_looks_waits_for_the_next_look(self) -> None:
        first = self.turns.join()
        later = [self.turns.join() for _ in range(10)]
        assert len(self.looks) == 1
        self.looks[0].callback("old")
        assert self.successResultOf(first) == "old"
        assert len(self.looks) == 2, "one for all of the others"
        self.looks[1].callback("new")
        assert [self.successResultOf(waiter) for waiter in later] == ["new"] * 10
        assert len(self.looks) == 2

    def test_a_failure_reaches_its_waiters_and_no_others(self) -> None:
        first, second = self.turns.join(), self.turns.join()
        self.looks[0].errback(OSError("gone"))
        self.failureResultOf(first, OSError)
        self.looks[1].callback("back")
        assert self.successResultOf(second) == "back"

    def test_waiters_may_leave(self) -> None:
        first, second, third = (self.turns.join() for _ in range(3))
        for waiter in (first, second):
            waiter.cancel()
            self.failureResultOf(waiter, CancelledError)
        self.looks[0].callback("old")
        self.looks[1].callback("new")
        assert self.successResultOf(third) == "new"

    def test_nothing_is_looked_up_for_those_who_left(self) -> None:
        self.turns.join()
        waiter = self.turns.join()
        waiter.cancel()
        self.failureResultOf(waiter, CancelledError)
        self.looks[0].callback("old")
        assert len(self.looks) == 1

    def test_a_look_that_ends_at_once_is_no_special_case(self) -> None:
        async def at_once() -> str:
            return "new"

        turns = Turns(at_once)
        assert self.successResultOf(turns.join()) == "new"
        assert self.successResultOf(turns.join()) == "new"

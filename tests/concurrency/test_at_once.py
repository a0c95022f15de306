from twisted.internet.defer import CancelledError, Deferred, succeed

from nixery.concurrency.at_once import at_once


async def answer(asked: Deferred[int]) -> int:
    return await asked + 1


async def fails() -> int:
    raise ValueError("no")


def test_what_is_there_is_given() -> None:
    assert at_once(answer(succeed(1))) == 2


def test_what_is_not_there_yet_is_no_longer_waited_for() -> None:
    seen: list[object] = []
    asked: Deferred[int] = Deferred(seen.append)
    assert at_once(answer(asked)) is None
    assert seen == [asked]
    assert asked.called


def test_who_takes_a_while_to_be_cancelled_is_left_alone() -> None:
    ended: Deferred[int] = Deferred()

    async def slow() -> int:
        try:
            return await Deferred[int]()
        except CancelledError:
            return await ended

    assert at_once(slow()) is None
    ended.callback(1)


def test_an_error_is_left_to_who_waits() -> None:
    assert at_once(fails()) is None

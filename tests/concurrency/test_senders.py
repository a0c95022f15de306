"""Threads that write to sockets: who is written to when, and what is told when it ends."""

from functools import partial
from threading import Event

import pytest
import pytest_twisted

from nixery.concurrency.senders import Senders
from tests.concurrency.outgoing import Pair, Parts, fill, turns


@pytest_twisted.ensureDeferred
async def test_parts_are_written_until_the_last(
    senders: Senders,
    pairs: list[Pair],
) -> None:
    one = Parts(pairs[0][0], lambda part: part < 5)
    senders.begin(one)
    await one.is_over()
    assert (one.parts, one.failure) == (5, None)
    assert not senders.leave(one), "it is over already"


@pytest_twisted.ensureDeferred
async def test_a_full_socket_is_waited_for_by_no_thread(senders: Senders, pairs: list[Pair]) -> None:
    (full, reader), *others = pairs
    fill(full)
    waits = Parts(full, lambda _: False)
    senders.begin(waits)
    for ours, _ in others:
        one = Parts(ours, lambda _: False)
        senders.begin(one)
        await one.is_over()
    assert waits.parts == 0
    while waits.parts == 0:
        reader.recv(1 << 20)
        await turns(1)
    await waits.is_over()


@pytest.mark.parametrize("senders", [1], indirect=True)
@pytest_twisted.ensureDeferred
async def test_all_that_take_more_have_their_turns(
    senders: Senders,
    pairs: list[Pair],
) -> None:
    order: list[int] = []
    go_on = Event()

    def do(number: int, part: int) -> bool:
        assert go_on.wait(30)
        order.append(number)
        return part < 3

    ours = [Parts(pair[0], partial(do, number)) for number, pair in enumerate(pairs)]
    for one in ours:
        senders.begin(one)
    go_on.set()
    for one in ours:
        await one.is_over()
    assert sorted(order[:4]) == sorted(order[4:8]) == sorted(order[8:]) == [0, 1, 2, 3]


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), EOFError("too short")])
@pytest_twisted.ensureDeferred
async def test_what_a_part_raises_ends_it(senders: Senders, pairs: list[Pair], error: Exception) -> None:
    def fail(part: int) -> bool:
        raise error

    one = Parts(pairs[0][0], fail)
    senders.begin(one)
    await one.is_over()
    assert one.failure is not None
    assert one.failure.value is error
    again = Parts(pairs[0][0], lambda _: False)
    senders.begin(again)  # by a thread that is none the worse for it
    await again.is_over()


@pytest_twisted.ensureDeferred
async def test_who_leaves_while_its_socket_is_full_is_written_no_more(senders: Senders, pairs: list[Pair]) -> None:
    ours, reader = pairs[0]
    size = fill(ours)
    one = Parts(ours, lambda _: False)
    senders.begin(one)
    assert senders.leave(one)
    while size > 0:
        size -= len(reader.recv(1 << 20))
    await turns()
    assert (one.parts, one.ended.called) == (0, False)
    senders.begin(one)  # nothing of it was left
    await one.is_over()


@pytest.mark.parametrize("more", [True, False])
@pytest_twisted.ensureDeferred
async def test_who_leaves_while_a_part_is_written_is_told_when_that_is(
    senders: Senders, pairs: list[Pair], more: bool
) -> None:
    begun, go_on = Event(), Event()

    def do(part: int) -> bool:
        begun.set()
        assert go_on.wait(30)
        return more

    one = Parts(pairs[0][0], do)
    senders.begin(one)
    while not begun.is_set():
        await turns(1)
    assert not senders.leave(one)
    await turns()
    assert not one.ended.called
    go_on.set()
    await one.is_over()
    assert one.parts == 1

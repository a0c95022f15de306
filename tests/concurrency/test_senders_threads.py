"""What the threads of senders share, and how they begin and end."""

import os
import tempfile
import threading
from collections.abc import Callable
from threading import Barrier, Event
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from nixery.concurrency.senders import Outgoing, Senders
from tests.concurrency.outgoing import Pair, Parts, fill, turns


def threads() -> int:
    """How many senders have."""
    return sum("senders" in thread.name for thread in threading.enumerate())


@pytest_twisted.ensureDeferred
async def test_as_many_are_written_to_at_a_time_as_there_are_threads(senders: Senders, pairs: list[Pair]) -> None:
    together = Barrier(2, timeout=30)

    def do(part: int) -> bool:
        together.wait()
        return False

    ours = [Parts(pair[0], do) for pair in pairs[:2]]
    for one in ours:
        senders.begin(one)
    for one in ours:
        await one.is_over()
        assert one.failure is None


@pytest_twisted.ensureDeferred
async def test_nobody_is_woken_for_what_is_written_already(senders: Senders, pairs: list[Pair]) -> None:
    woken: list[object] = []

    def do(part: int) -> bool:
        woken.append(senders._epoll.poll(0))
        senders._next(one.fileno())  # as a thread does that was woken before
        return False

    one = Parts(pairs[0][0], do)
    senders.begin(one)
    await one.is_over()
    senders._next(one.fileno())  # nor for what is over
    assert (woken, one.parts, one.failure) == ([[]], 1, None)


@pytest_twisted.ensureDeferred
async def test_what_threads_share_is_used_under_the_lock(senders: Senders, pairs: list[Pair]) -> None:
    locked: list[bool] = []

    class Noted(dict[int, Outgoing]):
        def __getattribute__(self, name: str) -> Any:
            locked.append(senders._lock.locked())
            return super().__getattribute__(name)

        def __contains__(self, key: object) -> bool:
            locked.append(senders._lock.locked())
            return super().__contains__(key)

        def __getitem__(self, key: int) -> Outgoing:
            locked.append(senders._lock.locked())
            return super().__getitem__(key)

        def __setitem__(self, key: int, one: Outgoing) -> None:
            locked.append(senders._lock.locked())
            super().__setitem__(key, one)

    senders._outgoing = Noted()
    one = Parts(pairs[0][0], lambda _: False)
    senders.begin(one)
    await one.is_over()
    senders.leave(one)
    assert len(locked) > 3
    assert all(locked)


@pytest_twisted.ensureDeferred
async def test_what_is_over_is_waited_for_no_more(
    senders: Senders, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, again = [Parts(pairs[0][0], lambda _: False) for _ in range(2)]
    call = senders._reactor.callFromThread

    def told(function: Callable[..., object], *args: object) -> None:
        if function == one.over:
            senders.begin(again)
        call(function, *args)

    monkeypatch.setattr(senders._reactor, "callFromThread", told)
    senders.begin(one)
    await one.is_over()
    await again.is_over()


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_waited_for_is_not_begun(senders: Senders) -> None:
    with tempfile.TemporaryFile() as file:
        one = Parts(file, lambda _: False)
        with pytest.raises(PermissionError):
            senders.begin(one)
        assert not senders.leave(one)


@pytest_twisted.ensureDeferred
async def test_one_is_alone_until_there_is_another(senders: Senders, pairs: list[Pair]) -> None:
    alone = [senders.alone]
    ours = [Parts(pair[0], lambda _: False) for pair in pairs[:2]]
    for one in ours:
        fill(pairs[ours.index(one)][0])
        senders.begin(one)
        alone.append(senders.alone)
    senders.leave(ours[0])
    assert [*alone, senders.alone] == [True, True, False, True]
    senders.leave(ours[1])


@pytest_twisted.ensureDeferred
async def test_no_two_threads_write_to_one(pairs: list[Pair]) -> None:
    senders = Senders(reactor, 4)  # type: ignore[arg-type]  # as above
    senders.startService()
    at_it: list[int] = []
    most = [0]

    def do(part: int) -> bool:
        at_it.append(part)
        most[0] = max(most[0], len(at_it))
        at_it.remove(part)
        return part < 2000

    one = Parts(pairs[0][0], do)
    senders.begin(one)
    await one.is_over()
    await senders.stopService()
    assert (one.parts, most) == (2000, [1])


@pytest_twisted.ensureDeferred
async def test_threads_end_with_the_service_when_their_parts_have(pairs: list[Pair]) -> None:
    senders = Senders(reactor, 2)  # type: ignore[arg-type]  # as above
    senders.startService()
    begun, go_on = Event(), Event()

    def do(part: int) -> bool:
        begun.set()
        assert go_on.wait(30)
        return True

    senders.begin(Parts(pairs[0][0], do))
    while not begun.is_set():
        await turns(1)
    ended = senders.stopService()
    await turns()
    assert not ended.called
    go_on.set()
    await ended


@pytest_twisted.ensureDeferred
async def test_no_thread_runs_before_something_is_sent(pairs: list[Pair]) -> None:
    senders = Senders(reactor, 2)  # type: ignore[arg-type]  # as above
    senders.startService()
    assert threads() == 0
    one = Parts(pairs[0][0], lambda _: False)
    senders.begin(one)
    assert threads() == 2
    await one.is_over()
    await senders.stopService()


@pytest_twisted.ensureDeferred
async def test_nothing_is_left_open() -> None:
    before = set(os.listdir("/proc/self/fd"))
    senders = Senders(reactor, 2)  # type: ignore[arg-type]  # as above
    senders.startService()
    running = senders.running
    await senders.stopService()
    assert (running, senders.running) == (True, False)
    assert set(os.listdir("/proc/self/fd")) <= before


@pytest_twisted.ensureDeferred
async def test_after_the_end_nothing_waits_or_begins(pairs: list[Pair]) -> None:
    senders = Senders(reactor, 2)  # type: ignore[arg-type]  # as above
    senders.startService()
    fill(pairs[0][0])
    one = Parts(pairs[0][0], lambda _: False)
    senders.begin(one)
    await senders.stopService()
    assert not senders.leave(one)
    with pytest.raises(OSError, match="the service ends"):
        senders.begin(one)

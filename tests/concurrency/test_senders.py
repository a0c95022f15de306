"""Threads that write to sockets: who is written to when, and what is told when it ends."""

import socket
from collections.abc import Callable, Iterator
from functools import partial
from threading import Event, current_thread, main_thread

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from nixery.concurrency.senders import Senders, Took


@define(eq=False)
class Parts:
    """Notes each part, which `do` writes; `ended`: when it is over."""

    socket: socket.socket
    do: Callable[[int], Took]
    parts: int = 0
    failure: Failure | None = None
    ended: Deferred[None] = field(factory=Deferred)

    def fileno(self) -> int:
        return self.socket.fileno()

    def part(self) -> Took:
        self.parts += 1
        assert current_thread() is not main_thread()
        return self.do(self.parts)

    def over(self, failure: Failure | None) -> None:
        assert current_thread() is main_thread()
        self.failure = failure
        self.ended.callback(None)


Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Four, of which the first sockets do not block."""
    pairs = [socket.socketpair() for _ in range(4)]
    for ours, _ in pairs:
        ours.setblocking(False)
    yield pairs
    for pair in pairs:
        for end in pair:
            end.close()


@pytest.fixture
def senders(request: pytest.FixtureRequest) -> Iterator[Senders]:
    senders = Senders(reactor, getattr(request, "param", 2))  # type: ignore[arg-type]  # a module to mypy
    senders.startService()
    yield senders
    pytest_twisted.blockon(senders.stopService())


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await deferLater(reactor, 0.001)


def fill(ours: socket.socket) -> int:
    """How many bytes it takes until it is full."""
    size = 0
    while True:
        try:
            size += ours.send(bytes(1 << 16))
        except BlockingIOError:
            return size


@pytest.mark.parametrize("took", [Took.ALL, Took.SOME])
@pytest_twisted.ensureDeferred
async def test_parts_are_written_until_the_last(senders: Senders, pairs: list[Pair], took: Took) -> None:
    one = Parts(pairs[0][0], lambda part: took if part < 5 else Took.LAST)
    senders.begin(one)
    await one.ended
    assert (one.parts, one.failure) == (5, None)
    assert not senders.leave(one), "it is over already"


@pytest_twisted.ensureDeferred
async def test_a_full_socket_is_waited_for_by_no_thread(senders: Senders, pairs: list[Pair]) -> None:
    (full, reader), *others = pairs
    fill(full)
    waits = Parts(full, lambda _: Took.LAST)
    senders.begin(waits)
    for ours, _ in others:
        one = Parts(ours, lambda _: Took.LAST)
        senders.begin(one)
        await one.ended
    assert waits.parts == 0
    while waits.parts == 0:
        reader.recv(1 << 20)
        await turns(1)
    await waits.ended


@pytest.mark.parametrize("senders", [1], indirect=True)
@pytest.mark.parametrize("took", [Took.ALL, Took.SOME])
@pytest_twisted.ensureDeferred
async def test_all_that_take_more_have_their_turns(senders: Senders, pairs: list[Pair], took: Took) -> None:
    order: list[int] = []
    go_on = Event()

    def do(number: int, part: int) -> Took:
        assert go_on.wait(30)
        order.append(number)
        return took if part < 3 else Took.LAST

    ours = [Parts(pair[0], partial(do, number)) for number, pair in enumerate(pairs)]
    for one in ours:
        senders.begin(one)
    go_on.set()
    for one in ours:
        await one.ended
    assert sorted(order[:4]) == sorted(order[4:8]) == sorted(order[8:]) == [0, 1, 2, 3]


@pytest_twisted.ensureDeferred
async def test_what_a_part_raises_ends_it(senders: Senders, pairs: list[Pair]) -> None:
    def fail(part: int) -> Took:
        raise ConnectionResetError("gone")

    one = Parts(pairs[0][0], fail)
    senders.begin(one)
    await one.ended
    assert one.failure is not None
    assert one.failure.check(ConnectionResetError)
    again = Parts(pairs[0][0], lambda _: Took.LAST)
    senders.begin(again)  # by a thread that is none the worse for it
    await again.ended


@pytest_twisted.ensureDeferred
async def test_who_leaves_while_its_socket_is_full_is_written_no_more(senders: Senders, pairs: list[Pair]) -> None:
    ours, reader = pairs[0]
    size = fill(ours)
    one = Parts(ours, lambda _: Took.LAST)
    senders.begin(one)
    assert senders.leave(one)
    while size > 0:
        size -= len(reader.recv(1 << 20))
    await turns()
    assert (one.parts, one.ended.called) == (0, False)
    senders.begin(one)  # nothing of it was left
    await one.ended


@pytest.mark.parametrize("took", Took)
@pytest_twisted.ensureDeferred
async def test_who_leaves_while_a_part_is_written_is_told_when_that_is(
    senders: Senders, pairs: list[Pair], took: Took
) -> None:
    begun, go_on = Event(), Event()

    def do(part: int) -> Took:
        begun.set()
        assert go_on.wait(30)
        return took

    one = Parts(pairs[0][0], do)
    senders.begin(one)
    while not begun.is_set():
        await turns(1)
    assert not senders.leave(one)
    await turns()
    assert not one.ended.called
    go_on.set()
    await one.ended
    assert one.parts == 1


@pytest_twisted.ensureDeferred
async def test_no_two_threads_write_to_one(pairs: list[Pair]) -> None:
    senders = Senders(reactor, 4)  # type: ignore[arg-type]  # as above
    senders.startService()
    at_it: list[int] = []
    most = [0]

    def do(part: int) -> Took:
        at_it.append(part)
        most[0] = max(most[0], len(at_it))
        at_it.remove(part)
        return Took.SOME if part < 2000 else Took.LAST

    one = Parts(pairs[0][0], do)
    senders.begin(one)
    await one.ended
    await senders.stopService()
    assert (one.parts, most) == (2000, [1])


@pytest_twisted.ensureDeferred
async def test_threads_end_with_the_service_when_their_parts_have(pairs: list[Pair]) -> None:
    senders = Senders(reactor, 2)  # type: ignore[arg-type]  # as above
    senders.startService()
    begun, go_on = Event(), Event()

    def do(part: int) -> Took:
        begun.set()
        assert go_on.wait(30)
        return Took.SOME

    senders.begin(Parts(pairs[0][0], do))
    while not begun.is_set():
        await turns(1)
    ended = senders.stopService()
    await turns()
    assert not ended.called
    go_on.set()
    await ended

"""What holds while a thread sends, also for a client that leaves, or is dropped, meanwhile."""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Semaphore

import pytest
import pytest_twisted

from nixery.concurrency.senders import Senders
from nixery.registry import sending, waiting
from nixery.registry.waiting import PATIENCE
from tests.registry.faces import Client, Face, serving, until
from tests.registry.wire import parse

pytestmark = pytest.mark.usefixtures("knowing")

DATA = os.urandom(1 << 20) * 3


class Slow:
    """A sendfile that waits, in its thread, until it may go on, or is to fail."""

    def __init__(self) -> None:
        self.sendfile: Callable[[int, int, int, int], int] = os.sendfile
        self.begun, self.permits = Event(), Semaphore(0)
        self.calls = 0
        self.error: OSError | None = None

    def __call__(self, *of: int) -> int:
        self.calls += 1
        self.begun.set()
        assert self.permits.acquire(timeout=30)
        if self.error is not None:
            raise self.error
        return self.sendfile(*of)

    def go_on(self, calls: int = 1000) -> None:
        """As often as that."""
        self.permits.release(calls)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(os, "sendfile", slow)
    return slow


async def under_way(face: Face, slow: Slow) -> Client:
    """A client whose first part a thread sends."""
    client = await face.client()
    client.ask(face.path)
    await until(slow.begun.is_set)
    assert face.open_files == 1
    return client


async def full(face: Face) -> None:
    """Have a client ask, and take nothing, until its socket is full."""
    client = await face.client()
    client.rest()
    client.ask(face.path)
    await until(lambda: face.open_files == 1)
    await face.stalled()


@pytest_twisted.ensureDeferred
async def test_the_headers_are_let_go_of_once_they_are_written(tmp_path: Path, slow: Slow) -> None:
    async with serving(tmp_path, DATA) as face:
        await under_way(face, slow)
        [request] = face.channels[0].requests
        assert list(request.responseHeaders.getAllRawHeaders()) == []
        slow.go_on()


@pytest.mark.parametrize("error", [None, OSError(errno.EIO, "Input/output error")])
@pytest_twisted.ensureDeferred
async def test_the_file_stays_open_while_a_thread_sends(tmp_path: Path, slow: Slow, error: OSError | None) -> None:
    slow.error = error
    async with serving(tmp_path, DATA) as face:
        client = await under_way(face, slow)
        client.leave()
        await until(lambda: not face.connections)
        assert face.open_files == 1
        slow.go_on()
        await until(lambda: face.open_files == 0)
        await face.gone()


@pytest_twisted.ensureDeferred
async def test_the_file_is_closed_at_once_while_the_socket_is_waited_for(tmp_path: Path) -> None:
    async with serving(tmp_path, DATA) as face:
        await full(face)
        [end] = face.connections
        end.abortConnection()  # where the client leaves, a thread may see that first
        await until(lambda: not face.connections)
        assert face.open_files == 0
        await face.gone()


@pytest_twisted.ensureDeferred
async def test_the_file_is_closed_at_once_where_the_client_is_dropped(tmp_path: Path) -> None:
    async with serving(tmp_path, DATA) as face:
        await full(face)
        face.clock.pump([PATIENCE / 2, PATIENCE / 2])
        assert face.open_files == 0
        await face.gone()


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_waited_for_breaks_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: list[BaseException]
) -> None:
    error = OSError(errno.ENOMEM, "Cannot allocate memory")

    def full(self: Senders, one: object) -> None:
        raise error

    monkeypatch.setattr(Senders, "begin", full)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path)
        await client.closed
        await face.gone()
    failures.append(error)


@pytest_twisted.ensureDeferred
async def test_what_a_thread_sends_to_a_client_that_left_reaches_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sendfile: Callable[[int, int, int, int], int] = os.sendfile
    begun, others_came, ended = Event(), Event(), Event()

    def late(*of: int) -> int:
        begun.set()
        others_came.wait(30)
        try:
            return sendfile(*of)
        finally:
            ended.set()

    monkeypatch.setattr(os, "sendfile", late)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path)
        await until(begun.is_set)
        client.leave()
        await until(lambda: not face.connections)
        others = [await face.client() for _ in range(3)]
        await until(lambda: len(face.connections) == 3)
        others_came.set()
        await until(ended.is_set)
        for other in others:
            other.ask("/v2/", Connection="close")
            await other.closed
            assert parse(bytes(other.received)).body == b"{}"
        await face.gone()


@pytest_twisted.ensureDeferred
async def test_nothing_more_is_read_for_a_client_that_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: Slow
) -> None:
    monkeypatch.setattr(sending, "MOST", 1 << 20)
    async with serving(tmp_path, DATA) as face:
        client = await under_way(face, slow)
        client.leave()
        await until(lambda: not face.connections)
        slow.go_on()
        await until(lambda: face.open_files == 0)
        await face.gone()
    assert slow.calls == 1


@pytest.mark.parametrize("gone_before", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_client_that_is_dropped_while_a_thread_sends_to_it_leaves_nothing_behind(
    tmp_path: Path, slow: Slow, gone_before: bool
) -> None:
    async with serving(tmp_path, DATA) as face:
        client = await under_way(face, slow)
        face.clock.pump([PATIENCE / 2, PATIENCE / 2])
        if gone_before:
            await until(lambda: not face.connections)
            assert not client.closed.called
        slow.go_on()
        await client.closed
        await until(lambda: face.open_files == 0)
        await face.gone()


@pytest_twisted.ensureDeferred
async def test_a_client_that_takes_is_not_dropped_however_full_its_socket_and_one_that_does_not_is(
    tmp_path: Path, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_untaken", lambda _: 1 << 22)
    monkeypatch.setattr(sending, "MOST", 1 << 20)
    async with serving(tmp_path, DATA) as face:
        client = await under_way(face, slow)
        for part in (2, 3):
            face.clock.advance(PATIENCE / 2)
            slow.go_on(1)
            await until(partial(lambda part: slow.calls == part, part))
        face.clock.advance(PATIENCE / 2)
        assert face.connections
        face.clock.advance(PATIENCE / 2)
        await until(lambda: not face.connections)
        slow.go_on()
        await client.closed
        await until(lambda: face.open_files == 0)
        await face.gone()

"""What is a sending's own; what it has in common with other ways out is in test_ways_out."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import pytest_twisted
from twisted.logger import LogEvent, formatEvent

from nixery.registry import sending
from nixery.registry.waiting import PATIENCE
from tests.registry.faces import Client, Face, serving, skip_where_nothing_is_known, until
from tests.registry.wire import HandPool, parse

DATA = os.urandom(1 << 20) * 3


@pytest.fixture(autouse=True)
def knowing(tmp_path: Path) -> None:
    """Be where files go this way."""
    skip_where_nothing_is_known(tmp_path)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing in memory."""
    monkeypatch.setattr(sending, "in_memory", lambda *_: False)


def failing(monkeypatch: pytest.MonkeyPatch, error: OSError, times: int) -> None:
    """Have sendfile fail at first."""
    sendfile: Callable[[int, int, int, int], int] = os.sendfile
    left = [error] * times

    def failed(*of: int) -> int:
        if left:
            raise left.pop()
        return sendfile(*of)

    monkeypatch.setattr(os, "sendfile", failed)


async def step(pool: HandPool, error: Exception | None = None) -> None:
    """Wait until a function is to be run, and run it, or have it fail."""
    await until(lambda: bool(pool.queue))
    pool.step(error)


async def gone(face: Face) -> None:
    """See the connection end, with nothing left behind."""
    await until(lambda: not face.connections)
    assert (face.open_files, face.clock.getDelayedCalls()) == (0, [])


async def broken_off(tmp_path: Path) -> None:
    """Ask, and see the connection end."""
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path)
        await client.closed
        await gone(face)


async def all_sent(face: Face, client: Client, pool: HandPool) -> None:
    """Have the pool run what comes, until the client has all."""
    while not client.closed.called:
        await until(lambda: bool(pool.queue or client.closed.called))
        if pool.queue:
            pool.step()
    assert parse(bytes(client.received)).body == DATA


@pytest_twisted.ensureDeferred
async def test_what_is_not_in_memory_is_sent_by_those_that_wait_for_files(tmp_path: Path, absent: None) -> None:
    pool, senders = HandPool(), HandPool()
    async with serving(tmp_path, DATA, pool=pool, senders=senders) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await step(pool)  # the file is opened
        await until(lambda: bool(pool.queue))
        await client.has(1)
        assert client.received.endswith(b"\r\n\r\n"), "the head, and nothing else"
        await all_sent(face, client, pool)
        assert senders.queue == []


@pytest_twisted.ensureDeferred
async def test_what_is_in_memory_does_not_wait_for_files(tmp_path: Path) -> None:
    pool, senders = HandPool(), HandPool()
    async with serving(tmp_path, DATA, pool=pool, senders=senders) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await step(pool)  # the file is opened
        await all_sent(face, client, senders)
        assert pool.queue == []


@pytest_twisted.ensureDeferred
async def test_a_slow_disk_is_no_reason_to_drop_a_client(tmp_path: Path, absent: None) -> None:
    pool = HandPool()
    async with serving(tmp_path, DATA, pool=pool) as face:
        client = await face.client()
        client.ask(face.path)
        for _ in range(3):
            await until(lambda: bool(pool.queue))
            face.clock.advance(2 * PATIENCE)
            pool.step()
        await client.has(1 << 16)
        assert face.connections
        client.leave()
        await until(lambda: not face.connections)
        while pool.queue:
            pool.step()
        await gone(face)


async def under_way(face: Face, pool: HandPool) -> Client:
    """A client whose first part a thread is to send."""
    client = await face.client()
    client.ask(face.path)
    await until(lambda: face.open_files == 1)
    await until(lambda: bool(pool.queue))
    return client


@pytest_twisted.ensureDeferred
async def test_the_headers_are_let_go_of_once_they_are_written(tmp_path: Path) -> None:
    senders = HandPool()
    async with serving(tmp_path, DATA, senders=senders) as face:
        await under_way(face, senders)
        [request] = face.channels[0].requests
        assert list(request.responseHeaders.getAllRawHeaders()) == []


@pytest.mark.parametrize("error", [None, OSError(errno.EIO, "Input/output error")])
@pytest_twisted.ensureDeferred
async def test_the_file_stays_open_while_a_thread_sends(
    tmp_path: Path, error: OSError | None, failures: list[BaseException]
) -> None:
    senders = HandPool()
    async with serving(tmp_path, DATA, senders=senders) as face:
        client = await under_way(face, senders)
        client.leave()
        await until(lambda: not face.connections)
        assert face.open_files == 1
        senders.step(error)
        await gone(face)
    failures.extend([error] if error else [])


@pytest_twisted.ensureDeferred
async def test_what_a_thread_sends_to_a_client_that_left_reaches_no_other(tmp_path: Path) -> None:
    senders = HandPool()
    async with serving(tmp_path, DATA, senders=senders) as face:
        client = await under_way(face, senders)
        client.leave()
        await until(lambda: not face.connections)
        others = [await face.client() for _ in range(3)]
        await until(lambda: len(face.connections) == 3)
        senders.step()
        for other in others:
            other.ask("/v2/", Connection="close")
            await other.closed
            assert parse(bytes(other.received)).body == b"{}"
        await gone(face)


@pytest_twisted.ensureDeferred
async def test_nothing_is_read_for_a_client_that_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    senders = HandPool()
    async with serving(tmp_path, DATA, senders=senders) as face:
        client = await under_way(face, senders)
        client.leave()
        await until(lambda: not face.connections)
        monkeypatch.delattr(os, "sendfile")
        senders.step()
        await gone(face)


@pytest.mark.parametrize("gone_before", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_client_that_is_dropped_while_a_thread_sends_to_it_leaves_nothing_behind(
    tmp_path: Path, gone_before: bool
) -> None:
    senders = HandPool()
    async with serving(tmp_path, DATA, senders=senders) as face:
        client = await under_way(face, senders)
        face.clock.pump([PATIENCE / 2, PATIENCE / 2])
        if gone_before:
            await until(lambda: not face.connections)
            assert not client.closed.called
        senders.step()
        await client.closed
        await gone(face)


@pytest_twisted.ensureDeferred
async def test_a_disk_that_fails_breaks_the_connection(
    tmp_path: Path, absent: None, failures: list[BaseException]
) -> None:
    pool = HandPool()
    error = OSError(errno.EIO, "Input/output error")
    async with serving(tmp_path, DATA, pool=pool) as face:
        client = await face.client()
        client.ask(face.path)
        await step(pool)
        await step(pool, error)
        await client.closed
        await gone(face)
    failures.append(error)


@pytest_twisted.ensureDeferred
async def test_a_socket_that_takes_nothing_after_all_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), 3)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await client.closed
        assert parse(bytes(client.received)).body == DATA


@pytest.mark.parametrize(
    "error", [BrokenPipeError(errno.EPIPE, "gone"), ConnectionResetError(errno.ECONNRESET, "gone")]
)
@pytest_twisted.ensureDeferred
async def test_a_client_that_is_gone_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    failing(monkeypatch, error, 1)
    await broken_off(tmp_path)


@pytest_twisted.ensureDeferred
async def test_a_file_that_cannot_be_sent_breaks_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: list[BaseException], events: Sequence[LogEvent]
) -> None:
    error = OSError(errno.EIO, "Input/output error")
    failing(monkeypatch, error, 1)
    await broken_off(tmp_path)
    assert f"a blob of {len(DATA)} bytes broke off" in map(formatEvent, events)
    failures.append(error)


@pytest_twisted.ensureDeferred
async def test_the_access_log_says_how_much_was_sent(tmp_path: Path, events: Sequence[LogEvent]) -> None:
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Range="bytes=9-", Connection="close")
        await client.closed
    (line,) = [formatEvent(event) for event in events if event["log_namespace"] == "nixery.registry.access"]
    assert f" 206 {len(DATA) - 9} bytes " in line

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
from tests.registry.faces import Client, serving, until
from tests.registry.wire import HandPool, parse

DATA = os.urandom(1 << 20) * 3


pytestmark = pytest.mark.usefixtures("knowing")


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


async def broken_off(tmp_path: Path) -> None:
    """Ask, and see the connection end."""
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path)
        await client.closed
        await face.gone()


async def all_sent(client: Client, pool: HandPool) -> None:
    """Have the pool run what comes, until the client has all."""
    while not client.closed.called:
        await until(lambda: bool(pool.queue or client.closed.called))
        if pool.queue:
            pool.step()
    assert parse(bytes(client.received)).body == DATA


@pytest_twisted.ensureDeferred
async def test_what_is_not_in_memory_is_sent_by_those_that_wait_for_files(tmp_path: Path, absent: None) -> None:
    pool = HandPool()
    async with serving(tmp_path, DATA, pool=pool) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await step(pool)  # the file is opened
        await until(lambda: bool(pool.queue))
        await client.has(1)
        assert client.received.endswith(b"\r\n\r\n"), "the head, and nothing else"
        await all_sent(client, pool)


@pytest_twisted.ensureDeferred
async def test_what_is_in_memory_does_not_wait_for_files(tmp_path: Path) -> None:
    pool = HandPool()
    async with serving(tmp_path, DATA, pool=pool) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await step(pool)  # the file is opened
        await client.closed
        assert parse(bytes(client.received)).body == DATA
        assert pool.queue == []


@pytest_twisted.ensureDeferred
async def test_a_slow_disk_is_no_reason_to_drop_a_client(
    tmp_path: Path, absent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = HandPool()
    async with serving(tmp_path, DATA, pool=pool) as face:
        client = await face.client()
        client.ask(face.path)
        for _ in range(3):
            await until(lambda: bool(pool.queue))
            face.clock.pump([PATIENCE, PATIENCE])
            pool.step()
        await client.has(1 << 16)
        assert face.connections
        client.leave()
        await until(lambda: not face.connections)
        sent: list[tuple[int, ...]] = []
        monkeypatch.setattr(os, "sendfile", lambda *of: sent.append(of))
        while pool.queue:
            pool.step()
        await face.gone()
        assert sent == [], "nothing more is read"


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
        await face.gone()
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

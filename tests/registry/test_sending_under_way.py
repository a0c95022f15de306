"""What holds while a thread sends, also for a client that leaves, or is dropped, meanwhile."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
import pytest_twisted

from nixery.registry.waiting import PATIENCE
from tests.registry.faces import Client, Face, serving, until
from tests.registry.wire import HandPool, parse

pytestmark = pytest.mark.usefixtures("knowing")

DATA = os.urandom(1 << 20) * 3


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
        await face.gone()
    failures.extend([error] if error else [])


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
async def test_nothing_is_read_for_a_client_that_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    senders, sent = HandPool(), []
    monkeypatch.setattr(os, "sendfile", lambda *of: sent.append(of))
    async with serving(tmp_path, DATA, senders=senders) as face:
        client = await under_way(face, senders)
        client.leave()
        await until(lambda: not face.connections)
        senders.step()
        await face.gone()
    assert sent == []


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
        await face.gone()

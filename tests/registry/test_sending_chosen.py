"""What the kernel is given to send, and what not."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.web.server import Request

from nixery.concurrency.pool import Inline
from nixery.concurrency.senders import Senders
from nixery.registry import sending
from nixery.registry.conditions import Span
from nixery.registry.contents import PIECE, Held, OpenFile, Pools
from nixery.registry.resident import in_memory
from nixery.registry.sending import ALONE, LITTLE, MOST
from tests.registry.faces import serving, until
from tests.registry.wire import parse

DATA = os.urandom(1 << 20) * 5


pytestmark = pytest.mark.usefixtures("knowing")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """From where on, and how many bytes, the kernel was asked to send."""
    sendfile: Callable[[int, int, int, int], int] = os.sendfile
    all_asked = []

    def noted(out: int, file: int, offset: int, length: int) -> int:
        all_asked.append((offset, length))
        return sendfile(out, file, offset, length)

    monkeypatch.setattr(os, "sendfile", noted)
    return all_asked


@pytest.mark.parametrize(("length", "due"), [(PIECE, []), (PIECE + 1, [(7, PIECE + 1)])])
@pytest_twisted.ensureDeferred
async def test_what_is_small_is_not_worth_the_while(
    tmp_path: Path, asked: list[tuple[int, int]], length: int, due: list[tuple[int, int]]
) -> None:
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Range=f"bytes=7-{length + 6}", Connection="close")
        await client.closed
        assert parse(bytes(client.received)).body == DATA[7 : length + 7]
    assert asked[:1] == due


@pytest_twisted.ensureDeferred
async def test_a_file_system_that_cannot_say_what_is_in_memory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(sending, "can_say", lambda _: False)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await client.closed
        assert parse(bytes(client.received)).body == DATA
    assert asked == []


@pytest.mark.parametrize(("alone", "most"), [(True, ALONE), (False, MOST)])
@pytest_twisted.ensureDeferred
async def test_others_get_a_thread_after_each_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[int, int]], alone: bool, most: int
) -> None:
    monkeypatch.setattr(Senders, "alone", alone)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await client.closed
    assert max(length for _, length in asked) == most


@pytest.mark.parametrize(("alone", "most"), [(True, ALONE), (False, MOST)])
@pytest_twisted.ensureDeferred
async def test_a_socket_that_took_little_is_sent_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool, most: int
) -> None:
    takes = [LITTLE - 1, LITTLE, LITTLE + 1]
    parts: list[int] = []

    def taken(_out: int, _file: int, _offset: int, length: int) -> int:
        parts.append(length)
        return takes[len(parts) - 1] if len(parts) <= len(takes) else length

    monkeypatch.setattr(Senders, "alone", alone)
    monkeypatch.setattr(os, "sendfile", taken)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await client.closed
    assert parts[:4] == [most, LITTLE, most, most]


@pytest_twisted.ensureDeferred
async def test_the_reactor_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sendfile: Callable[[int, int, int, int], int] = os.sendfile
    threads = set()

    def noted(out: int, file: int, offset: int, length: int) -> int:
        threads.add(threading.current_thread())
        return sendfile(out, file, offset, length)

    monkeypatch.setattr(os, "sendfile", noted)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await client.closed
    assert threads
    assert threading.main_thread() not in threads


@pytest_twisted.ensureDeferred
async def test_what_is_to_be_sent_is_what_has_to_be_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[int, int]]
) -> None:
    looked_at = []

    def noted(descriptor: int, offset: int, length: int) -> bool:
        looked_at.append((offset, length))
        return in_memory(descriptor, offset, length)

    monkeypatch.setattr(sending, "in_memory", noted)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Range="bytes=7-", Connection="close")
        await client.closed
    assert looked_at == [asked[0], *asked], "by the reactor, and by who sends"


@pytest_twisted.ensureDeferred
async def test_others_need_the_disk_after_each_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(sending, "in_memory", lambda *_: False)
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await client.closed
        assert parse(bytes(client.received)).body == DATA
    assert max(length for _, length in asked) == PIECE


@pytest.mark.parametrize("tls", [True, False])
@pytest_twisted.ensureDeferred
async def test_there_is_no_way_under_tls(tmp_path: Path, tls: bool) -> None:
    async with serving(tmp_path, DATA) as face:
        await face.client()
        await until(lambda: bool(face.connections))
        face.connections[0].TLS = tls
        with face.file.open("rb") as file:
            pools = Pools(Inline(), Senders(reactor, 0))  # type: ignore[arg-type]  # a module to mypy
            content = OpenFile(file.fileno(), len(DATA), pools)
            request = cast(Request, SimpleNamespace(transport=face.connections[0]))
            assert (sending.way(request, content, Span(0, len(DATA)), face.clock) is None) == tls
        face.connections[0].TLS = False


@pytest_twisted.ensureDeferred
async def test_there_is_no_way_for_what_is_in_no_file(tmp_path: Path) -> None:
    async with serving(tmp_path, DATA) as face:
        await face.client()
        await until(lambda: bool(face.connections))
        request = cast(Request, SimpleNamespace(transport=face.connections[0]))
        assert sending.way(request, Held(DATA), Span(0, len(DATA)), face.clock) is None

"""What the kernel is given to send, and what not."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import pytest_twisted
from twisted.web.server import Request

from nixery.concurrency.pool import Inline
from nixery.registry import sending
from nixery.registry.conditions import Span
from nixery.registry.contents import PIECE, OpenFile, Pools
from nixery.registry.sending import MOST
from tests.registry.faces import serving, skip_where_nothing_is_known, until
from tests.registry.wire import parse

DATA = os.urandom(1 << 20) * 5


@pytest.fixture(autouse=True)
def knowing(tmp_path: Path) -> None:
    """Be where files go this way."""
    skip_where_nothing_is_known(tmp_path)


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


@pytest_twisted.ensureDeferred
async def test_others_get_their_turn_after_each_part(tmp_path: Path, asked: list[tuple[int, int]]) -> None:
    async with serving(tmp_path, DATA) as face:
        client = await face.client()
        client.ask(face.path, Connection="close")
        await client.closed
    assert max(length for _, length in asked) == MOST


@pytest.mark.parametrize("tls", [True, False])
@pytest_twisted.ensureDeferred
async def test_there_is_no_way_under_tls(tmp_path: Path, tls: bool) -> None:
    async with serving(tmp_path, DATA) as face:
        await face.client()
        await until(lambda: bool(face.connections))
        face.connections[0].TLS = tls
        with face.file.open("rb") as file:
            content = OpenFile(file.fileno(), len(DATA), Pools(Inline(), Inline()))
            request = cast(Request, SimpleNamespace(transport=face.connections[0]))
            assert (sending.way(request, content, Span(0, len(DATA)), face.clock) is None) == tls
        face.connections[0].TLS = False

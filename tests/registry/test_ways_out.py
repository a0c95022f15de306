"""What holds of a file's way out, whichever way that is: see streaming and sending."""

import http.client
import io
import os
import socket
from pathlib import Path

import pytest
import pytest_twisted

from nixery.registry import sending
from nixery.registry.contents import PIECE
from nixery.registry.waiting import PATIENCE
from tests.registry.faces import SOCKET_BUFFER, serving, skip_where_nothing_is_known, until

SIZE = 4 << 20
DATA = os.urandom(1 << 20) * (SIZE >> 20)
KINDS = {"sent": "tcp", "read": "tcp", "to be fetched": "tcp", "unix": "unix", "wrapped": "wrapped"}


@pytest.fixture(params=KINDS)
def way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The way that files go."""
    way: str = request.param
    skip_where_nothing_is_known(tmp_path)
    if way == "read":
        monkeypatch.setattr(sending, "way", lambda *_: None)
    if way == "to be fetched":
        monkeypatch.setattr(sending, "in_memory", lambda *_: False)
    return way


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the kernel was handed each time."""
    numbers = []
    original = os.sendfile

    def counted(out: int, file: int, offset: int, length: int) -> int:
        numbers.append(original(out, file, offset, length))
        return numbers[-1]

    monkeypatch.setattr(os, "sendfile", counted)
    return numbers


class Unclosed(io.BytesIO):
    """What one answer after the other is read from."""

    def makefile(self, mode: str) -> "Unclosed":
        return self

    def close(self) -> None: ...


def answers(received: bytearray, methods: list[str]) -> list[tuple[int, bytes]]:
    """The status and the body of all answers there are; they are well-formed, and nothing follows them."""
    source = Unclosed(received)
    found = []
    for method in methods:
        response = http.client.HTTPResponse(source, method=method)  # type: ignore[arg-type]  # not quite a socket
        response.begin()
        found.append((response.status, response.read()))
    assert source.read() == b""
    return found


def mixed(path: str, digest: str) -> list[tuple[str, str, dict[str, str], tuple[int, bytes]]]:
    """Requests: path, method, headers, and the answer that is due."""
    return [
        (path, "GET", {}, (200, DATA)),
        (path, "HEAD", {}, (200, b"")),
        ("/v2/", "GET", {}, (200, b"{}")),
        (path, "GET", {"Range": "bytes=5-"}, (206, DATA[5:])),
        (path, "GET", {"If-None-Match": f'"{digest}"'}, (304, b"")),
        (path, "GET", {"Range": f"bytes=4097-{PIECE + 4097}"}, (206, DATA[4097 : PIECE + 4098])),
        (path, "GET", {"Range": "bytes=-3"}, (206, DATA[-3:])),
        (path, "GET", {"Range": f"bytes=-{2 * PIECE + 1}"}, (206, DATA[-2 * PIECE - 1 :])),
        (path, "HEAD", {"Range": "bytes=5-"}, (200, b"")),
        ("/v2/", "GET", {}, (200, b"{}")),
        (path, "GET", {"Connection": "close"}, (200, DATA)),
    ]


@pytest_twisted.ensureDeferred
async def test_pipelined_answers_are_exact(tmp_path: Path, way: str, sent: list[int]) -> None:
    async with serving(tmp_path, DATA, KINDS[way]) as face:
        clients = [await face.client() for _ in range(8)]
        requests = mixed(face.path, str(face.digest))
        for number, client in enumerate(clients):
            turned = [*requests[number:-1], *requests[:number], requests[-1]]
            for path, method, headers, _ in turned:
                client.ask(path, method, **headers)
        for number, client in enumerate(clients):
            turned = [*requests[number:-1], *requests[:number], requests[-1]]
            await client.closed
            due = [answer for _, _, _, answer in turned]
            assert answers(client.received, [method for _, method, _, _ in turned]) == due
        assert face.open_files == 0
        assert bool(sent) == (way in ("sent", "to be fetched"))


@pytest_twisted.ensureDeferred
async def test_clients_that_leave_leave_nothing_behind(tmp_path: Path, way: str) -> None:
    async with serving(tmp_path, DATA, KINDS[way]) as face:
        for number in range(24):
            client = await face.client()
            client.ask(face.path)
            wanted = number * SIZE // 24
            await client.has(wanted)
            client.leave()
        await until(lambda: not face.connections and not face.open_files)
        assert face.clock.getDelayedCalls() == []


@pytest_twisted.ensureDeferred
async def test_no_more_is_sent_than_the_client_takes_and_one_that_takes_nothing_is_dropped(
    tmp_path: Path, way: str, sent: list[int]
) -> None:
    async with serving(tmp_path, DATA, KINDS[way]) as face:
        client = await face.client()
        client.rest()
        client.ask(face.path)
        await until(lambda: face.open_files == 1)
        await face.stalled()
        assert sum(sent) < 8 * SOCKET_BUFFER
        face.clock.pump([PATIENCE / 2, PATIENCE / 2 - 1])
        await face.stalled()
        face.clock.advance(2)
        await until(lambda: not face.connections)
        assert face.open_files == 0
        assert face.clock.getDelayedCalls() == []
        client.rest(False)
        await client.closed
        assert len(client.received) < SIZE


@pytest_twisted.ensureDeferred
async def test_a_slow_client_that_takes_something_is_kept(tmp_path: Path, way: str) -> None:
    async with serving(tmp_path, DATA, KINDS[way]) as face:
        client = await face.client()
        client.ask(face.path)
        for part in range(4):
            await client.has(part * SIZE // 4)
            client.rest()
            await face.stalled()
            face.clock.pump([PATIENCE / 2, PATIENCE / 2 - 1])
            client.rest(False)
        await client.has(SIZE + 1)
        assert answers(client.received, ["GET"]) == [(200, DATA)]
        client.ask("/v2/", Connection="close")
        await client.closed
        assert answers(client.received, ["GET", "GET"])[1] == (200, b"{}")


@pytest_twisted.ensureDeferred
async def test_a_client_that_takes_less_than_has_its_socket_ask_for_more_is_kept(tmp_path: Path, way: str) -> None:
    async with serving(tmp_path, DATA, KINDS[way]) as face:
        client = await face.client()
        client.rest()
        await until(lambda: bool(face.connections))
        face.connections[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SIZE // 4)
        client.ask(face.path)
        await until(lambda: face.open_files == 1)
        for _ in range(4):
            await face.stalled()
            assert await face.taken(client, 2 * SOCKET_BUFFER)
            await face.stalled()
            face.clock.advance(PATIENCE / 2)
        await face.stalled()
        face.clock.pump([PATIENCE / 2, PATIENCE / 2])
        await until(lambda: not face.connections)


@pytest_twisted.ensureDeferred
async def test_a_file_that_shrinks_breaks_the_connection(
    tmp_path: Path, way: str, failures: list[BaseException]
) -> None:
    cut = 2 * SIZE // 4 + 10
    async with serving(tmp_path, DATA, KINDS[way]) as face:
        client = await face.client()
        client.ask(face.path)
        client.ask("/v2/")
        client.rest()
        await until(lambda: face.open_files == 1)
        await face.stalled()
        os.truncate(face.file, cut)
        client.rest(False)
        await client.closed
        assert face.open_files == 0
        assert face.clock.getDelayedCalls() == []
        assert bytes(client.received).partition(b"\r\n\r\n")[2] in DATA[:cut]
    failures.append(EOFError(f"the content ended after {cut} bytes"))


@pytest_twisted.ensureDeferred
async def test_what_is_asked_behind_a_blob_that_nobody_takes_is_bounded(tmp_path: Path, way: str) -> None:
    async with serving(tmp_path, DATA, KINDS[way]) as face:
        client = await face.client()
        client.rest()
        client.ask(face.path)
        await until(lambda: face.open_files == 1)
        for _ in range(2000):
            client.ask("/v2/", Padding="x" * 900)
        await until(lambda: not face.listens)
        await face.stalled()
        client.ask("/v2/", Connection="close")
        client.rest(False)
        await client.closed
        assert answers(client.received, ["GET"] * 2002) == [(200, DATA), *[(200, b"{}")] * 2001]

"""A file's way out: at the client's pace, with the file closed however it ends."""

import errno
import os
from pathlib import Path

import pytest
from attrs import define

from nixery.images.digest import Digest
from nixery.registry.contents import PIECE
from nixery.registry.waiting import PATIENCE
from nixery.storage.interfaces import LocalFile
from tests.registry.wire import HandPool, Wire, World, parse

DIGEST = Digest.of(b"any")
PIECES = 4


@define
class Sending:
    """A file of four pieces that a client asked for; every open and read waits for `pool.step()`."""

    world: World
    pool: HandPool
    path: Path
    wire: Wire

    @property
    def open_files(self) -> int:
        return sum(os.path.realpath(f"/proc/self/fd/{fd}") == str(self.path) for fd in os.listdir("/proc/self/fd"))

    @property
    def pieces(self) -> int:
        return len(self.wire.received) // PIECE

    def pause(self) -> None:
        assert self.wire.transport.producer is not None
        self.wire.transport.producer.pauseProducing()

    def resume(self) -> None:
        assert self.wire.transport.producer is not None
        self.wire.transport.producer.resumeProducing()


@pytest.fixture
def sending(tmp_path: Path) -> Sending:
    path = tmp_path / "blob"
    path.write_bytes(bytes(PIECES * PIECE))
    pool = HandPool()
    world = World(pool=pool)
    world.storage.places[DIGEST] = LocalFile(str(path), PIECES * PIECE)
    return Sending(world, pool, path, world.wire(f"/v2/git/blobs/{DIGEST}"))


def test_one_piece_is_read_at_a_time(sending: Sending) -> None:
    sending.pool.step()
    for sent in range(PIECES):
        assert (sending.pieces, len(sending.pool.queue), sending.open_files) == (sent, 1, 1)
        sending.pool.step()
    assert len(parse(sending.wire.received).body) == PIECES * PIECE
    assert (sending.open_files, sending.pool.queue) == (0, [])


def test_nothing_is_read_while_the_client_takes_nothing(sending: Sending) -> None:
    sending.pool.step()
    sending.pause()
    sending.pool.step()
    assert (sending.pieces, sending.pool.queue) == (1, [])
    sending.resume()
    assert len(sending.pool.queue) == 1


def test_a_slow_client_that_takes_something_is_kept(sending: Sending) -> None:
    sending.pool.step()
    for _ in range(PIECES):
        sending.pause()
        sending.pool.step()
        sending.world.clock.pump([PATIENCE / 2, PATIENCE / 2 - 1])
        sending.resume()
    assert len(parse(sending.wire.received).body) == PIECES * PIECE


def test_a_client_that_takes_nothing_is_dropped(sending: Sending) -> None:
    sending.pool.step()
    sending.pause()
    sending.pool.step()
    sending.world.clock.pump([PATIENCE / 2, PATIENCE / 2])
    assert sending.wire.transport.disconnected
    assert sending.open_files == 0
    sending.wire.lose()
    assert sending.world.clock.getDelayedCalls() == []


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_client_that_leaves_ends_the_reading(sending: Sending, steps: int) -> None:
    for _ in range(steps):
        sending.pool.step()
    received = len(sending.wire.received)
    sending.wire.lose()
    sending.pool.step()
    assert (sending.open_files, sending.pool.queue) == (0, [])
    assert len(sending.wire.received) == received


def test_the_file_stays_open_while_a_read_is_under_way(sending: Sending) -> None:
    sending.pool.step()
    sending.wire.lose()
    assert sending.open_files == 1
    sending.pool.step()
    assert sending.open_files == 0


def test_a_client_that_leaves_while_it_is_paused_ends_the_reading(sending: Sending) -> None:
    sending.pool.step()
    sending.pause()
    sending.pool.step()
    sending.wire.lose()
    assert (sending.open_files, sending.pool.queue) == (0, [])
    assert sending.world.clock.getDelayedCalls() == []


def test_a_file_that_shrinks_breaks_the_connection(sending: Sending, failures: list[BaseException]) -> None:
    sending.pool.step()
    sending.pool.step()
    os.truncate(sending.path, PIECE + 10)
    sending.pool.step()
    sending.pool.step()
    assert sending.wire.transport.disconnected
    assert sending.open_files == 0
    sending.wire.lose()
    failures.append(EOFError(f"the content ended after {PIECE + 10} bytes"))


def test_a_read_error_breaks_the_connection(sending: Sending, failures: list[BaseException]) -> None:
    sending.pool.step()
    sending.pool.step()
    error = OSError(errno.EIO, "Input/output error")
    sending.pool.step(error)
    assert (sending.pieces, sending.open_files, sending.wire.transport.disconnected) == (1, 0, True)
    sending.wire.lose()
    failures.append(error)


def test_a_read_error_is_logged_also_when_the_client_left(sending: Sending, failures: list[BaseException]) -> None:
    sending.pool.step()
    sending.wire.lose()
    error = OSError(errno.EIO, "Input/output error")
    sending.pool.step(error)
    assert sending.open_files == 0
    failures.append(error)


def test_the_next_request_on_the_connection_is_served(sending: Sending) -> None:
    for _ in range(PIECES + 1):
        sending.pool.step()
    sending.wire.transport.clear()
    sending.wire.send(b"GET /v2/ HTTP/1.1\r\nHost: r\r\n\r\n")
    assert parse(sending.wire.received).status == 200

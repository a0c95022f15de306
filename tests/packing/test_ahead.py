import gzip
import os
import threading
from pathlib import Path
from threading import Event

import pytest

from nixery.errors import ShuttingDown, StorageUnavailable
from nixery.images.digest import DiffID, Digest
from nixery.packing.ahead import BUFFERS, Ahead
from nixery.packing.members import compress
from nixery.packing.pieces import PIECE, Pieces
from nixery.packing.spare import counter, none, spare
from nixery.packing.written import Written


def many(count: int) -> bytes:
    return b"".join(bytes([number]) * PIECE for number in range(count))


@pytest.mark.parametrize("cores", [0, 1, 3, 9])
@pytest.mark.parametrize("count", [0, 1, BUFFERS, 4 * BUFFERS])
def test_it_writes_what_would_be_written_in_one_thread(count: int, cores: int, tmp_path: Path) -> None:
    data = many(count) + b"rest"
    with (tmp_path / "ahead").open("wb") as ahead_file, (tmp_path / "alone").open("wb") as alone_file:
        alone, ahead_written = (Written(f.fileno(), Event(), compress) for f in (alone_file, ahead_file))
        ahead = Ahead(ahead_written, spare(counter(cores)))
        for take, buffers in ((alone.take, 1), (ahead.take, BUFFERS)):
            pieces = Pieces(take, buffers)
            pieces.put(data)
            pieces.end()
        ahead.end()
    written = (tmp_path / "ahead").read_bytes()
    assert written == (tmp_path / "alone").read_bytes()
    assert gzip.decompress(written) == data
    assert (ahead_written.diff_id, ahead_written.blob) == (alone.diff_id, alone.blob)
    assert (ahead_written.diff_id, ahead_written.blob.digest) == (DiffID.of(data), Digest.of(written))


def test_order_holds_when_the_first_piece_takes_longest(tmp_path: Path) -> None:
    second_done = threading.Event()

    def slow(piece: memoryview) -> bytes:
        if piece[0] == 0:
            second_done.wait(10)
        else:
            second_done.set()
        return bytes(piece[:1])

    with (tmp_path / "file").open("wb") as file:
        ahead = Ahead(Written(file.fileno(), Event(), slow), spare(counter(1)))
        pieces = Pieces(ahead.take, BUFFERS)
        pieces.put(many(2))
        ahead.end()
    assert (tmp_path / "file").read_bytes() == b"\0\1"


def test_no_more_pieces_wait_than_there_are_buffers(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        ahead = Ahead(Written(file.fileno(), Event(), lambda piece: bytes(piece[:1])), spare(counter(9)))
        for number in range(3 * BUFFERS):
            ahead.take(memoryview(bytes([number])))
            assert os.fstat(file.fileno()).st_size > number - BUFFERS


def test_what_is_cancelled_takes_no_more() -> None:
    cancelled = Event()
    ahead = Ahead(Written(-1, cancelled, compress), none)
    cancelled.set()
    with pytest.raises(ShuttingDown):
        ahead.take(memoryview(b"piece"))


def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "wb") as full:
        ahead = Ahead(Written(full.fileno(), Event(), compress), none)
        with pytest.raises(StorageUnavailable, match="No space left"):
            ahead.take(memoryview(b"piece"))

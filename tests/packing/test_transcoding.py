"""What a gzip layer becomes, however it comes."""

import gc
import gzip
import hashlib
import itertools
import os
import tempfile
import tracemalloc
import weakref
import zlib
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.errors import ShuttingDown, StorageUnavailable
from nixery.images.digest import DiffID, Digest
from nixery.images.manifest import Blob
from nixery.packing import members
from nixery.packing.pieces import PIECE
from nixery.packing.transcoding import NoGzip, Transcoding
from tests.zstd import zstd


def packed(content: bytes) -> bytes:
    return bytes(members.compress(content))


def transcoded(data: bytes, *cuts: int) -> tuple[DiffID, Blob, bytes]:
    """The outcome for a gzip file that comes cut at these places, and what was written."""
    with tempfile.TemporaryFile() as file:
        work = Transcoding(file.fileno(), Event())
        places = [0, *sorted(cuts), len(data)]
        for begin, end in itertools.pairwise(places):
            work.feed(data[begin:end])
        diff_id, blob = work.end()
        return diff_id, blob, os.pread(file.fileno(), blob.size + 1, 0)


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=5), st.lists(st.integers(0, 5000), max_size=5))
def test_the_content_stays_however_it_is_packed_and_cut(parts: list[bytes], cuts: list[int]) -> None:
    content = b"".join(parts)
    data = b"".join(packed(part) for part in parts)
    diff_id, blob, made = transcoded(data, *(min(cut, len(data)) for cut in cuts))
    assert zstd.decompress(made) == content
    assert (diff_id, blob) == (DiffID.of(content), Blob(Digest.of(made), len(made)))
    assert transcoded(gzip.compress(content))[2] == made


def test_a_content_of_several_pieces_does_not_depend_on_the_gzip_members() -> None:
    noise = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(PIECE // 32))
    content = noise + bytes(2 * PIECE + 1) + noise[::-1]
    cut = [packed(content[at : at + PIECE]) for at in range(0, len(content), PIECE)]
    diff_id, _, made = transcoded(b"".join(cut), 1, 777_777)
    assert diff_id == DiffID.of(content)
    assert zstd.decompress(made) == content
    assert transcoded(gzip.compress(content))[2] == made


@given(st.binary(min_size=1, max_size=3000), st.data())
def test_what_is_no_whole_gzip_is_refused(content: bytes, data: st.DataObject) -> None:
    whole = packed(content)
    cut = [b"", whole[:-1], whole[: len(whole) // 2], whole + b"x", b"x" + whole, whole + whole[:9]]
    bits = st.integers(0, len(whole) * 8 - 1).map(lambda bit: flipped(whole, bit))
    wrong = data.draw(st.one_of(st.sampled_from(cut), bits))
    try:
        _, _, made = transcoded(wrong)
    except NoGzip:
        return
    assert zstd.decompress(made) == content  # the bit was one of the header that says nothing


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_what_unpacks_to_far_more_is_not_held_in_memory() -> None:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    data = b"".join(packer.compress(bytes(PIECE)) for _ in range(64)) + packer.flush()
    with tempfile.TemporaryFile() as file:
        work = Transcoding(file.fileno(), Event())
        tracemalloc.start()
        work.feed(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        work.end()
    assert peak < 4 * PIECE


def test_it_lets_go_of_its_memory_at_once() -> None:
    with tempfile.TemporaryFile() as file:
        work = Transcoding(file.fileno(), Event())
        work.feed(packed(bytes(PIECE)))
        gone = weakref.ref(work._frame)
        gc.disable()
        try:
            del work
            assert gone() is None
        finally:
            gc.enable()


def test_it_ends_when_it_is_told_to() -> None:
    cancelled = Event()
    with tempfile.TemporaryFile() as file:
        work = Transcoding(file.fileno(), cancelled)
        work.feed(packed(bytes(PIECE)))
        cancelled.set()
        with pytest.raises(ShuttingDown):
            work.feed(packed(bytes(PIECE)))


def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        work = Transcoding(full.fileno(), Event())
        work.feed(packed(b"a"))
        with pytest.raises(StorageUnavailable, match="No space left on device; is the disk"):
            work.end()

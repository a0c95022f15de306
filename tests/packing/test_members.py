import gzip
import subprocess
import sys

import deflate
import pytest

from nixery.packing.members import compress, encoder_fingerprint, sample
from nixery.packing.pieces import PIECE


@pytest.mark.parametrize("size", [1, 512, PIECE])
def test_gzip_reads_a_member(size: int) -> None:
    assert gzip.decompress(compress(b"a" * size)) == b"a" * size


def test_members_in_a_row_are_one_gzip_file() -> None:
    assert gzip.decompress(compress(b"one ") + compress(memoryview(b"two"))) == b"one two"


def test_a_member_says_nothing_of_time_and_host() -> None:
    # RFC 1952, section 2.3: ID1 ID2 CM FLG MTIME(4) XFL OS; OS 255 is unknown.
    assert compress(b"a")[:10] == b"\x1f\x8b\x08\0" + bytes(4) + b"\0\xff"


def test_the_fingerprint_is_a_sha256_and_the_same_in_another_process() -> None:
    code = "from nixery.packing.members import encoder_fingerprint; print(encoder_fingerprint())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == encoder_fingerprint()
    assert len(encoder_fingerprint()) == 64


def test_nine_pieces_of_sixteen_are_compressed_more_thoroughly() -> None:
    pieces = [b"%d" % number + sample() for number in range(400)]
    better = [piece for piece in pieces if compress(piece) == deflate.gzip_compress(piece, 5)]
    worse = [piece for piece in pieces if compress(piece) == deflate.gzip_compress(piece, 3)]
    assert len(better) + len(worse) == 400
    assert 215 < len(better) < 240


def test_the_same_piece_is_always_the_same_member() -> None:
    assert compress(sample()) == compress(memoryview(bytearray(sample())))


@pytest.mark.parametrize("levels", [(3, 6), (4, 5), (5, 3), 7 * (3,) + 8 * (5,) + (3,)])
def test_other_levels_have_another_fingerprint(levels: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    now = encoder_fingerprint()
    encoder_fingerprint.cache_clear()
    monkeypatch.setattr("nixery.packing.members._LEVELS", levels)
    try:
        assert encoder_fingerprint() != now
    finally:
        encoder_fingerprint.cache_clear()

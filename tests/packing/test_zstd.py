import subprocess
import sys

import pytest

from nixery.packing import zstd as packing
from nixery.packing.members import sample
from nixery.packing.pieces import PIECE
from tests.zstd import zstd


def framed(*pieces: bytes) -> bytes:
    frame = packing.Frame()
    return b"".join(frame.compress(piece) for piece in pieces) + frame.end()


@pytest.mark.parametrize("pieces", [(), (b"a",), (b"a" * PIECE, b"b" * PIECE, b"c")])
def test_it_is_one_frame_that_reads_back(pieces: tuple[bytes, ...]) -> None:
    made = framed(*pieces)
    reader = zstd.ZstdDecompressor()
    assert reader.decompress(made) == b"".join(pieces)
    assert (reader.eof, reader.unused_data) == (True, b"")


def test_it_has_a_checksum_and_no_size_and_a_window_that_every_decoder_takes() -> None:
    # RFC 8878, 3.1.1.1: magic number, then the frame header's descriptor, then the window's.
    magic, descriptor, window = (made := framed(sample(), sample()))[:4], made[4], made[5]
    assert magic == b"\x28\xb5\x2f\xfd"
    assert descriptor == 0b00000100  # no size, no single segment, a checksum, no dictionary
    assert 10 + (window >> 3) <= 23


def test_it_is_smaller_than_what_it_is_made_of() -> None:
    assert len(framed(sample())) < PIECE


def test_the_fingerprint_is_a_sha256_and_the_same_in_another_process() -> None:
    code = "from nixery.packing.zstd import encoder_fingerprint; print(encoder_fingerprint())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == packing.encoder_fingerprint()
    assert len(packing.encoder_fingerprint()) == 64


@pytest.mark.parametrize("change", ["level", "version"])
def test_another_level_or_library_has_another_fingerprint(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = packing.encoder_fingerprint()
    packing.encoder_fingerprint.cache_clear()
    if change == "level":
        monkeypatch.setitem(packing._OPTIONS, zstd.CompressionParameter.compression_level, 7)
    else:
        monkeypatch.setattr("nixery.packing.zstd.zstd.zstd_version", "1.9.9")
    try:
        assert packing.encoder_fingerprint() != now
    finally:
        packing.encoder_fingerprint.cache_clear()

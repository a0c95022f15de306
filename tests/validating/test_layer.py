"""What a pass over a layer makes of it, however it comes and however large it is."""

import hashlib
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from nixery.validating import entries
from nixery.validating.entries import FEW, INVARIANTS
from nixery.validating.layer import LayerReader
from nixery.validating.unpacking import Gzip, Plain, Unpacker, Zstd
from tests.validating.fake import folder, frames, gzipped, member, tar
from tests.zstd import zstd

MiB = 1 << 20

Pack = Callable[[bytes], bytes]


BOTH = pytest.mark.parametrize(("packed", "unpacker"), [(gzipped, Gzip), (frames, Zstd)], ids=["gzip", "zstd"])


def read(data: bytes, unpacker: Unpacker, length: int = 1 << 30) -> LayerReader:
    """A layer that has come in pieces of that length."""
    reader = LayerReader(unpacker)
    for at in range(0, len(data), length):
        reader.take(data[at : at + length])
    reader.end()
    return reader


@BOTH
@pytest.mark.parametrize("length", [1, 7, 511, 512, 513, 1 << 30])
def test_the_pieces_in_which_it_comes_do_not_matter(length: int, packed: Pack, unpacker: type[Unpacker]) -> None:
    plain = tar(folder("a"), member("a/" + "long" * 40), member("a/n", size=3000), member("b" * 300))
    reader = read(packed(plain), unpacker(), length)
    assert reader.fault is None
    assert reader.diff_id.hex == hashlib.sha256(plain).hexdigest()
    assert [reader.entries.fault(invariant) for invariant in INVARIANTS] == [None] * len(INVARIANTS)


@BOTH
def test_what_is_larger_than_what_is_unpacked_at_once_is_read_once(packed: Pack, unpacker: type[Unpacker]) -> None:
    plain = tar(member("a", size=5 * MiB + 1))
    reader = read(packed(plain), unpacker())
    assert (reader.fault, reader.diff_id.hex) == (None, hashlib.sha256(plain).hexdigest())


@BOTH
def test_one_that_ends_in_the_middle_or_goes_on_after_its_end_is_told(packed: Pack, unpacker: type[Unpacker]) -> None:
    data = packed(tar(member("a")))
    for wrong in (data[:-1], data + b"0", data[1:]):
        fault = read(wrong, unpacker()).fault
        assert fault is not None
        assert unpacker.__name__.lower() in fault


def test_a_zstd_window_that_not_every_client_takes_is_told() -> None:
    plain = tar(member("a", size=MiB))
    for log, told in ((23, False), (24, True)):
        compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: log})
        fault = read(compressor.compress(plain) + compressor.flush(), Zstd()).fault
        assert (fault is not None) == told, fault


def test_a_damaged_zstd_layer_with_a_checksum_is_told() -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: 1})
    data = bytearray(compressor.compress(tar(member("a"))) + compressor.flush())
    data[-1] ^= 1
    assert "checksum" in (read(bytes(data), Zstd()).fault or "")


def test_a_layer_that_is_not_compressed_is_read_too() -> None:
    plain = tar(folder("a"))
    reader = LayerReader(Plain())
    reader.take(plain)
    reader.end()
    assert (reader.fault, reader.diff_id.hex) == (None, hashlib.sha256(plain).hexdigest())


@pytest.mark.parametrize("unpacker", [Gzip, Zstd])
def test_what_unpacks_to_far_more_is_not_held_in_memory(unpacker: type[Unpacker]) -> None:
    compress = zstd.ZstdCompressor() if unpacker is Zstd else zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    zeros = bytes(MiB)
    packed = compress.compress(member("a", size=256 * MiB).tobuf())
    packed += b"".join(compress.compress(zeros) for _ in range(256)) + compress.flush()
    reader = LayerReader(unpacker())
    tracemalloc.start()
    reader.take(packed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reader.fault is None
    assert peak < 4 * MiB


def test_no_more_entries_are_looked_at_than_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_MOST", 3)
    reader = LayerReader(Plain())
    reader.take(tar(*(member(name) for name in "abcde")))
    reader.end()
    assert reader.entries.fault(FEW) == "'d', and 1 more"


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        (b"5 a=b\n", "a record that is none"),
        (b"999 a=b\n", "a record that is none"),
        (b"a=b\n", "a record that is none"),
        (b"2 a=b\n", "a record that is none"),
        (b"12 size=-12\n", "the size of an entry is no number"),
        (b"12 mtime=bc\n", "the time of an entry is no number"),
    ],
)
def test_a_wrong_extended_header_is_told(records: bytes, fault: str) -> None:
    head = member("././@PaxHeader", b"x", size=len(records)).tobuf()
    reader = LayerReader(Plain())
    reader.take(head + records.ljust(512, b"\0") + tar(member("a")))
    reader.end()
    assert reader.fault is not None
    assert fault in reader.fault


@pytest.mark.parametrize("size", [0, (1 << 20) + 1])
def test_an_extended_header_has_a_bound(size: int) -> None:
    reader = LayerReader(Plain())
    reader.take(member("././@PaxHeader", b"x", size=size).tobuf())
    assert reader.fault == "it is no tar: an extended header is empty, too long, or before another one"


def test_one_extended_header_comes_before_an_entry() -> None:
    records = b"9 path=a\n"
    head = member("././@PaxHeader", b"x", size=len(records)).tobuf() + records.ljust(512, b"\0")
    once, twice = LayerReader(Plain()), LayerReader(Plain())
    once.take(head + tar(member("b")))
    twice.take(head + head + tar(member("b")))
    assert once.fault is None
    assert twice.fault == "it is no tar: an extended header is empty, too long, or before another one"

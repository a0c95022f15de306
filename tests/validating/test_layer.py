"""What a pass over a layer makes of it, however it comes and however large it is."""

import hashlib
import tracemalloc
import zlib

import pytest

from nixery.validating import entries
from nixery.validating.entries import FEW, INVARIANTS
from nixery.validating.layer import LayerReader
from tests.validating.fake import folder, gzipped, member, tar

MiB = 1 << 20


@pytest.mark.parametrize("length", [1, 7, 511, 512, 513, 1 << 30])
def test_the_pieces_in_which_it_comes_do_not_matter(length: int) -> None:
    plain = tar(folder("a"), member("a/" + "long" * 40), member("a/n", size=3000), member("b" * 300))
    data = gzipped(plain)
    reader = LayerReader(gzip=True)
    for at in range(0, len(data), length):
        reader.take(data[at : at + length])
    reader.end()
    assert reader.fault is None
    assert reader.diff_id.hex == hashlib.sha256(plain).hexdigest()
    assert [reader.entries.fault(invariant) for invariant in INVARIANTS] == [None] * len(INVARIANTS)


def test_members_larger_than_what_is_unpacked_at_once_are_read_once_each() -> None:
    plain = tar(member("a", size=5 * MiB + 1))
    reader = LayerReader(gzip=True)
    reader.take(gzipped(plain))
    reader.end()
    assert (reader.fault, reader.diff_id.hex) == (None, hashlib.sha256(plain).hexdigest())


def test_a_layer_that_is_not_compressed_is_read_too() -> None:
    plain = tar(folder("a"))
    reader = LayerReader(gzip=False)
    reader.take(plain)
    reader.end()
    assert (reader.fault, reader.diff_id.hex) == (None, hashlib.sha256(plain).hexdigest())


def test_what_unpacks_to_far_more_is_not_held_in_memory() -> None:
    compress = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    head, zeros = tar(member("a", size=0))[:512], bytes(MiB)
    packed = compress.compress(head.replace(b"%011o" % 0, b"%011o" % (256 * MiB), 1))
    packed += b"".join(compress.compress(zeros) for _ in range(256)) + compress.flush()
    reader = LayerReader(gzip=True)
    tracemalloc.start()
    reader.take(packed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MiB


def test_no_more_entries_are_looked_at_than_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_MOST", 3)
    reader = LayerReader(gzip=False)
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
    reader = LayerReader(gzip=False)
    reader.take(head + records.ljust(512, b"\0") + tar(member("a")))
    reader.end()
    assert reader.fault is not None
    assert fault in reader.fault


@pytest.mark.parametrize("size", [0, (1 << 20) + 1])
def test_an_extended_header_has_a_bound(size: int) -> None:
    reader = LayerReader(gzip=False)
    reader.take(member("././@PaxHeader", b"x", size=size).tobuf())
    assert reader.fault == "it is no tar: an extended header is empty, too long, or before another one"


def test_one_extended_header_comes_before_an_entry() -> None:
    records = b"9 path=a\n"
    head = member("././@PaxHeader", b"x", size=len(records)).tobuf() + records.ljust(512, b"\0")
    once, twice = LayerReader(gzip=False), LayerReader(gzip=False)
    once.take(head + tar(member("b")))
    twice.take(head + head + tar(member("b")))
    assert once.fault is None
    assert twice.fault == "it is no tar: an extended header is empty, too long, or before another one"

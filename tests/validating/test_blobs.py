"""What is kept of a blob while it comes, and how much is taken."""

import random

import pytest

from nixery.images.digest import Digest
from nixery.validating.blobs import BlobReader
from nixery.validating.documents import Descriptor

DATA = random.Random(1).randbytes(30_000)


def reader(size: int) -> BlobReader:
    return BlobReader(Descriptor("text/plain", Digest.of(DATA), size, None), False, lambda more: None)


@pytest.mark.parametrize("length", [1, 7, 4096, 10_001, 30_000])
def test_a_part_is_kept_however_the_blob_comes(length: int) -> None:
    read = reader(len(DATA))
    for at in range(0, len(DATA), length):
        assert read.take(DATA[at : at + length])
    assert (bytes(read.part), read.size, read.digest) == (DATA[10_000:14_096], len(DATA), Digest.of(DATA))


def test_no_more_is_taken_than_the_descriptor_says() -> None:
    read = reader(20_000)
    assert [read.take(DATA[at : at + 10_000]) for at in (0, 10_000, 20_000)] == [True, True, False]

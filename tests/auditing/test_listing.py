import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st

from nixery.auditing import listing
from nixery.auditing.listing import DAMAGED, Listing, all_blobs, all_records
from nixery.images.digest import Digest
from nixery.storage.interfaces import Stored
from nixery.storage.memory import MemoryStorage


@given(st.sets(st.binary(max_size=4), max_size=40), st.binary(max_size=4))
def test_a_listing_knows_each_blobs_size_and_no_others(contents: set[bytes], other: bytes) -> None:
    found = Listing()
    stored = sorted(Stored(Digest.of(data), len(data)) for data in contents)
    for blob in stored:
        found.add(blob)
    assert list(found) == stored
    assert (len(found), found.bytes) == (len(contents), sum(map(len, contents)))
    assert all(found.size(blob.digest) == blob.size for blob in stored)
    assert found.size(Digest.of(other)) == (len(other) if other in contents else None)


def test_what_is_damaged_has_no_size_and_leaves_the_others() -> None:
    found, digests = Listing(), [Digest(letter * 64) for letter in "abc"]
    for digest in digests:
        found.add(Stored(digest, 0))
    found.spoil(digests[1])
    assert [found.size(digest) for digest in digests] == [0, DAMAGED, 0]
    assert (len(found), found.bytes) == (3, 0)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 7])
@pytest_twisted.ensureDeferred
async def test_all_pages_are_read(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    storage, steps = MemoryStorage(), list[tuple[int, int]]()
    for number in range(count):
        data = b"%d" % number
        storage.blobs[Digest.of(data)] = data
        await storage.create_record(f"v1/names/{number}", b"")
    found = await all_blobs(storage, lambda *step: steps.append(step))
    assert {blob.digest for blob in found} == set(storage.blobs)
    assert [words for page in [page async for page in all_records(storage, "v1/names")] for words in page] == [
        str(number) for number in range(count)
    ]
    assert steps[-1:] == ([(count, count)] if count else [])

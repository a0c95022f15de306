"""All blobs and records of a storage, asked for in pages."""

from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from nixery.images.digest import Digest
from nixery.storage.interfaces import IStorage, Stored

PAGE = 50_000
"""Blobs or records that are asked for at once."""

Step = Callable[[int, int], None]
"""Is told how many are done, and how many there are as far as is known."""

_BYTES = 32
"""Of a SHA-256."""

DAMAGED = -1
"""The size of what was found to be damaged."""


class Listing:
    """The blobs that a storage names, in the order of their digests, and the `bytes` of all together.

    Takes 40 bytes for each, as there may be millions.
    """

    def __init__(self) -> None:
        self._digests = bytearray()
        self._sizes = array("q")
        self.bytes = 0

    def add(self, blob: Stored) -> None:
        """Take one that comes after all that are here."""
        self._digests += bytes.fromhex(blob.digest.hex)
        self._sizes.append(blob.size)
        self.bytes += blob.size

    def spoil(self, digest: Digest) -> None:
        """Have the size of a blob that is here be DAMAGED."""
        self._sizes[self._place(digest)] = DAMAGED

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[Stored]:
        return (Stored(Digest(self._at(place).hex()), size) for place, size in enumerate(self._sizes))

    def size(self, digest: Digest) -> int | None:
        """How many bytes a blob has, or DAMAGED; None for one that is not here."""
        place = self._place(digest)
        found = place < len(self) and self._at(place) == bytes.fromhex(digest.hex)
        return self._sizes[place] if found else None

    def _place(self, digest: Digest) -> int:
        """Where a digest is, or would be."""
        return bisect_left(range(len(self)), bytes.fromhex(digest.hex), key=self._at)

    def _at(self, place: int) -> bytes:
        return bytes(self._digests[place * _BYTES : (place + 1) * _BYTES])


async def all_blobs(storage: IStorage, step: Step) -> Listing:
    """All blobs; raises StorageUnavailable."""
    listing = Listing()
    after = ""
    while page := await storage.list_blobs(after, PAGE):
        for blob in page:
            listing.add(blob)
        after = page[-1].digest.hex
        step(len(listing), len(listing))
    return listing


async def all_records(storage: IStorage, folder: str) -> AsyncIterator[Sequence[str]]:
    """The last words of the names of all records in a folder, page by page; raises StorageUnavailable."""
    after = ""
    while page := await storage.list_records(folder, after, PAGE):
        yield page
        after = page[-1]

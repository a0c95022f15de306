"""A storage verified: each blob is what its name says, and records name only what is stored."""

from collections.abc import AsyncIterator, Callable, Sequence

from attrs import define, field

from nixery.auditing.listing import DAMAGED, Listing, Step, all_blobs, all_records
from nixery.auditing.named import NAMED, Named
from nixery.concurrency.abreast import abreast
from nixery.errors import StorageUnavailable
from nixery.images.canonical import OtherVersion
from nixery.images.digest import Digest
from nixery.storage.interfaces import IStorage, Stored
from nixery.storage.records import NOT_OURS

_BLOBS_AT_ONCE = 4
_RECORDS_AT_ONCE = 16


@define
class Verification:
    """One look at everything. `tell`: takes what is wrong, a line each.

    `listed`, `hashed` and `checked` are told of blobs, of their bytes, and of records. `outdated`: records of other
    versions, which count as none and are passed over.
    """

    storage: IStorage
    tell: Callable[[str], None]
    listed: Step
    hashed: Step
    checked: Step
    faults: int = field(default=0, init=False)
    outdated: int = field(default=0, init=False)
    records: int = field(default=0, init=False)
    listing: Listing = field(factory=Listing, init=False)
    _bytes: int = field(default=0, init=False)
    _known: int = field(default=0, init=False)

    async def run(self) -> None:
        """Verify the blobs, then the records; raises StorageUnavailable where they cannot be listed."""
        self.listing = await all_blobs(self.storage, self.listed)
        await abreast(self.listing, _BLOBS_AT_ONCE, self._blob)
        for folder in NAMED:
            async for page in all_records(self.storage, folder):
                await self._page(folder, page)

    async def _blob(self, blob: Stored) -> None:
        try:
            good = await self.storage.check(blob.digest)
        except StorageUnavailable as error:
            self._fault(f"layers/{blob.digest.hex}", f"cannot be read: {error.message}")
        else:
            if not good:
                self.listing.spoil(blob.digest)
                self._fault(f"layers/{blob.digest.hex}", "is not what its name says: its bytes have another digest")
        self._bytes += blob.size
        self.hashed(self._bytes, self.listing.bytes)

    async def _page(self, folder: str, page: Sequence[str]) -> None:
        self._known += len(page)
        await abreast((f"{folder}/{word}" for word in page), _RECORDS_AT_ONCE, self._record)

    async def _record(self, name: str) -> None:
        try:
            data = await self.storage.read_record(name)
            if data is not None:  # else it was removed since
                await self._what_it_names(name, NAMED[name.rpartition("/")[0]](data))
        except StorageUnavailable as error:
            self._fault(name, f"cannot be verified: {error.message}")
        except OtherVersion:
            self.outdated += 1
        except NOT_OURS as error:
            self._fault(name, f"is no record of ours: {error}")
        self.records += 1
        self.checked(self.records, self._known)

    async def _what_it_names(self, name: str, named: Named) -> None:
        async for words in self._missing(named):
            self._fault(name, words)

    async def _missing(self, named: Named) -> AsyncIterator[str]:
        """What is not as a record has it."""
        for digest, size in named.blobs.items():
            stored = self.listing.size(digest)
            if stored == DAMAGED:
                yield f"names {digest}, which is damaged"
            elif stored is None and not await self._came_since(digest, size):
                yield f"names {digest}, which is not stored"
            elif None not in (stored, size) and stored != size:
                yield f"names {digest} with {size} bytes; it has {stored}"
        for record in named.records:
            if await self.storage.read_record(record) is None:
                yield f"names {record}, which is not there"

    async def _came_since(self, digest: Digest, size: int | None) -> bool:
        """Whether a blob is stored that was not when blobs were listed: others may write meanwhile."""
        found = await self.storage.find(digest)
        return found is not None and size in (None, found.size)

    def _fault(self, place: str, words: str) -> None:
        self.faults += 1
        self.tell(f"{place}: {words}")

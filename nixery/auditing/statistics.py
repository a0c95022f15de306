"""A storage counted: how much is in it, and what images save by sharing layers."""

from collections.abc import Mapping, Sequence

from attrs import define, field, frozen

from nixery.auditing.listing import Listing, Step, all_blobs, all_records
from nixery.concurrency.abreast import abreast
from nixery.images.digest import Digest
from nixery.images.manifest import ImageRecord
from nixery.storage.interfaces import IStorage
from nixery.storage.records import is_blob, parsed

_AT_ONCE = 16


@frozen
class Statistics:
    """How many of each kind there are.

    `blob_bytes`: of all blobs; `image_bytes`: of what images consist of, as if each were stored alone; `tags`: tags
    that an image was had by, of each source.
    """

    blobs: int
    blob_bytes: int
    layers: int
    images: int
    image_bytes: int
    indexes: int
    tags: int
    pins: int
    names: int

    @property
    def saved_bytes(self) -> int:
        """What is not stored, as images share it."""
        return max(0, self.image_bytes - self.blob_bytes)

    def values(self) -> Mapping[str, object]:
        """All of it, for JSON."""
        return {
            "blobs": {"count": self.blobs, "bytes": self.blob_bytes},
            "layers": self.layers,
            "images": {"count": self.images, "bytes": self.image_bytes},
            "indexes": self.indexes,
            "tags": self.tags,
            "pins": self.pins,
            "names": self.names,
            "saved": {"bytes": self.saved_bytes},
        }


@define
class Counting:
    """One count of everything; `listed` and `read` are told of blobs and of image records."""

    storage: IStorage
    listed: Step
    read: Step
    _images: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)
    _done: int = field(default=0, init=False)
    _known: int = field(default=0, init=False)

    async def run(self) -> Statistics:
        """Count; raises StorageUnavailable."""
        listing = await all_blobs(self.storage, self.listed)
        async for page in all_records(self.storage, "v1/images"):
            await self._page(page)
        return Statistics(
            blobs=len(listing),
            blob_bytes=listing.bytes,
            layers=await self._count("v1/layers"),
            images=self._images,
            image_bytes=self._bytes,
            indexes=await self._indexes(listing),
            tags=await self._tags(),
            pins=await self._count("v1/pins"),
            names=await self._count("v1/names"),
        )

    async def _page(self, page: Sequence[str]) -> None:
        self._known += len(page)
        await abreast(page, _AT_ONCE, self._image)

    async def _image(self, word: str) -> None:
        name = f"v1/images/{word}"
        record = parsed(name, await self.storage.read_record(name), ImageRecord.decode)
        if record is not None:
            self._images += 1
            self._bytes += sum(record.blobs().values())
        self._done += 1
        self.read(self._done, self._known)

    async def _count(self, folder: str) -> int:
        return sum([len(page) async for page in all_records(self.storage, folder)])

    async def _indexes(self, listing: Listing) -> int:
        """Each has a record under its key, and others under its digests, which are those of blobs."""
        found = 0
        async for page in all_records(self.storage, "v1/indexes"):
            found += sum(is_blob(word) and listing.size(Digest(word)) is None for word in page)
        return found

    async def _tags(self) -> int:
        """Each has a record for whatever image, beside those for its images."""
        return sum([sum(word.endswith(".any") for word in page) async for page in all_records(self.storage, "v1/tags")])

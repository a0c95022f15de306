"""Images for several platforms: an index whose images are built side by side, and which is the same ever after."""

from collections.abc import Sequence

from attrs import evolve
from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from nixery.building.builder import Builder, Offer
from nixery.building.cache import Cache
from nixery.concurrency.coalescer import Coalescer, Hold
from nixery.concurrency.settled import gathered
from nixery.errors import ManifestUnknown, PackagesUnavailable
from nixery.images.canonical import fingerprint
from nixery.images.digest import Digest
from nixery.images.index import ImageIndex, IndexFormat, IndexRecord, Rendered
from nixery.images.manifest import ImageRecord
from nixery.images.name import ImageName, Platform
from nixery.images.source import PinnedSource

_VERSION = 1
"""Of how an index is made; part of its key."""

_TOLD = 500
"""Characters of why a platform is left out."""


class Platforms:
    """Makes what names stand for. `platforms`: of names that leave it open; the first is for clients without indexes.

    v1/indexes/<key>: the BuildKeys and the manifests of an index's images, and the platforms left out; the key is the
    hash of the BuildKeys of all platforms. v1/indexes/<digest>: the same for each format's digest.
    """

    def __init__(self, builder: Builder, cache: Cache, platforms: Sequence[Platform]) -> None:
        self._builder = builder
        self._cache = cache
        self._platforms = tuple(platforms)
        self._indexes: Coalescer[str, ImageIndex] = Coalescer(None)

    def asked(self, name: ImageName) -> tuple[Platform, ...]:
        """The platforms that a name asks for."""
        return name.platforms(self._platforms)

    async def image(self, name: ImageName, pinned: PinnedSource, hold: Hold) -> Offer[Rendered]:
        """What the name stands for in this package set. Cancelling the wait, or its end, leaves builds alone."""
        names = [evolve(name, platform=platform) for platform in self.asked(name)]
        if len(names) == 1:
            return await self._builder.image(names[0], pinned, hold)
        keys = [self._builder.key(each, pinned) for each in names]
        key = fingerprint(["index", _VERSION, *keys])
        record = await self._cache.index(key)
        known = None if record is None else await self._cache.whole(record)
        return Offer(key, known or await self._indexes.join(key, lambda: self._build(key, names, pinned), hold))

    async def known(self, key: str) -> Rendered | None:
        """What a key stands for, if all of it is stored."""
        return await self._cache.rendered(key)

    async def by_digest(self, digest: Digest) -> bytes:
        """The bytes of a manifest or an index: as stored, or made again; raises ManifestUnknown."""
        try:
            return await self._builder.by_digest(digest)
        except ManifestUnknown:
            record = await self._cache.index(digest.hex)
            if record is None:
                raise
        return await self._made_again(digest, record)

    async def _made_again(self, digest: Digest, record: IndexRecord) -> bytes:
        """An index's bytes, after its images are made again side by side where they are not stored."""
        index = await self._cache.whole(record) or await self._again(record)
        for rendered in map(index.manifest, IndexFormat):
            if Digest.of(rendered) == digest:
                return rendered
        raise ManifestUnknown(f"the index {digest} is no longer what it was; pull the image by its tag")

    async def _again(self, record: IndexRecord) -> ImageIndex:
        making = (Deferred.fromCoroutine(self._builder.again(manifest)) for _, manifest in record.images)
        return ImageIndex(tuple(await gathered(making)), record.left_out)

    async def _build(self, key: str, names: Sequence[ImageName], pinned: PinnedSource) -> ImageIndex:
        """Build all of them; a platform is left out when evaluation says that its packages cannot be had."""
        building = [Deferred.fromCoroutine(self._builder.image(name, pinned, None)) for name in names]
        outcomes = await DeferredList(building, consumeErrors=True)
        offers: list[Offer[ImageRecord]] = []
        left_out: list[tuple[str, str]] = []
        for name, (_, outcome) in zip(names, outcomes, strict=True):
            if not isinstance(outcome, Failure):
                offers.append(outcome)
            elif isinstance(outcome.value, PackagesUnavailable):
                left_out.append((_written(name), outcome.value.message[:_TOLD]))
            else:
                outcome.raiseException()
        if not offers:
            raise PackagesUnavailable("; ".join(f"{platform}: {why}" for platform, why in left_out))
        index = ImageIndex(tuple(offer.rendered for offer in offers), tuple(left_out))
        record = IndexRecord.naming(((offer.key, offer.rendered) for offer in offers), index.left_out)
        await self._cache.remember_index(key, record, map(index.manifest, IndexFormat))
        return index


def _written(name: ImageName) -> str:
    assert name.platform is not None
    return f"linux/{name.platform.value}"

"""Storage in a bucket of an object store, with the keys that docs/architecture.md lists under Storage."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import SystemRandom

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from zope.interface import implementer

from nixery.concurrency.pool import Threads
from nixery.concurrency.recent import Recent
from nixery.concurrency.settled import gathered
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.bucket import CALLS, LINK_SECONDS, Bucket
from nixery.storage.disk import Disk
from nixery.storage.interfaces import IStaging, IStorage, Location, Redirect, Remote, Stored, Surroundings
from nixery.storage.records import checked, is_blob, is_word
from nixery.storage.retries import Retries
from nixery.storage.sightings import Sighting, Sightings, key
from nixery.storage.spool import Spool
from nixery.storage.uploads import Uploads

_FRESH, _KNOWN = 5.0, 600.0
"""Seconds for which a blob that was seen is named, and counts as there, without another look."""


def object_storage(bucket: Bucket, where: str, settings: Mapping[str, str], surroundings: Surroundings) -> IStorage:
    """The storage in a bucket that messages call `where`; NIXERY_BLOBS=proxy has us pass blobs on ourselves."""
    return ObjectStorage(bucket, where, surroundings, settings.get("NIXERY_BLOBS") == "proxy")


@implementer(IStorage)
class ObjectStorage(Service):
    """See IStorage. `proxied`: whether clients get blobs from us, rather than from the bucket by a link."""

    abreast = CALLS // 3  # the rest is for whoever else asks

    def __init__(self, bucket: Bucket, where: str, surroundings: Surroundings, proxied: bool) -> None:
        self._bucket = bucket
        self._clock = surroundings.reactor
        self._threads = Threads(surroundings.reactor, CALLS, "bucket")
        self._asking = Retries(self._threads, surroundings.reactor, where, SystemRandom())
        self._sightings = Sightings(bucket, self._asking, surroundings.reactor, not surroundings.read_only)
        self._spool = Spool(surroundings.spool)
        disk = Disk(surroundings.spool, surroundings.files)
        self._uploads = Uploads(bucket, self._asking, self._sightings, self._spool, disk)
        self._read_only = surroundings.read_only
        self._proxied = proxied
        self._links: Recent[Digest, tuple[str, float]] = Recent()

    def startService(self) -> None:
        """Start the threads, and remove what dead processes left in the spool."""
        if not self._read_only:
            self._spool.open()
        self._threads.startService()
        super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def stopService(self) -> Deferred[None]:
        """Give up uploads, and fire when the threads have ended."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._asking.close()
        await self._uploads.close()
        await self._sightings.close()
        await self._threads.stopService()
        self._spool.close()
        self._bucket.close()

    async def stage(self) -> IStaging:
        """See IStorage."""
        if self._read_only:
            raise StorageUnavailable("this process only reads the storage")
        return await self._uploads.stage()

    async def find(self, digest: Digest) -> Location | None:
        """See IStorage."""
        seen = await self._sightings.of(digest, _FRESH)
        if seen is None or not seen.good:
            return None
        read = partial(self._part, digest, seen.version)
        return Remote(seen.size, read) if self._proxied else Redirect(await self._link(digest), seen.size, read)

    async def has_all(self, blobs: Mapping[Digest, int]) -> bool:
        """See IStorage."""
        seen = await gathered(self._sightings.of(digest, _KNOWN) for digest in blobs)
        return all(map(_is_good, seen, blobs.values()))

    async def read(self, digest: Digest, limit: int) -> bytes | None:
        """See IStorage."""
        seen = await self._sightings.of(digest, _KNOWN)
        if seen is None or not seen.good:
            return None
        if seen.size > limit:
            raise StorageUnavailable(f"the blob {digest} has {seen.size} bytes; at most {limit} were expected")
        found = await self._asking.call(self._bucket.read, key(digest))
        if found is None or Digest.of(found[0]) != digest:
            self._sightings.forget(digest)
            return None
        return found[0]

    async def read_record(self, name: str) -> bytes | None:
        """See IStorage."""
        found = await self._asking.call(self._bucket.read, checked(name))
        return None if found is None else found[0]

    async def create_record(self, name: str, data: bytes) -> bool:
        """See IStorage."""
        return await self._written(checked(name), data, None)

    async def swap_record(self, name: str, old: bytes, new: bytes) -> bool:
        """See IStorage."""
        found = await self._asking.call(self._bucket.read, checked(name))
        return found is not None and found[0] == old and await self._written(name, new, found[1])

    async def remove_record(self, name: str, old: bytes) -> bool:
        """See IStorage."""
        found = await self._asking.call(self._bucket.read, checked(name))
        return found is not None and found[0] == old and await self._asking.call(self._bucket.remove, name, found[1])

    async def list_records(self, folder: str, after: str, most: int) -> Sequence[str]:
        """See IStorage."""
        return [word for word, _ in await self._list(checked(folder), after, most, is_word)]

    async def list_blobs(self, after: str, most: int) -> Sequence[Stored]:
        """See IStorage."""
        listed = await self._list("layers", after, most, is_blob)
        return [Stored(Digest(word), size) for word, size in listed]

    async def check(self, digest: Digest) -> bool:
        """See IStorage."""
        self._sightings.forget(digest)
        return await self._sightings.prove(digest)

    async def _list(self, folder: str, after: str, most: int, ours: Callable[[str], bool]) -> list[tuple[str, int]]:
        """A page of what is ours in a folder."""
        found: list[tuple[str, int]] = []
        while (lacking := most - len(found)) > 0:
            some = await self._asking.call(self._bucket.list, folder, after, lacking)
            found += (entry for entry in some if ours(entry[0]))
            if len(some) < lacking:
                break
            after = some[-1][0]
        return found

    async def _written(self, name: str, data: bytes, replaced: str | None) -> bool:
        """Write a record; a try that we heard nothing of, and that did it, is found by what is there."""
        outcome = await self._asking.outcome(self._bucket.write, name, data, replaced)
        return outcome.value or (outcome.unsure and await self.read_record(name) == data)

    async def _part(self, digest: Digest, version: str, offset: int, length: int) -> bytes:
        part = await self._asking.call(self._bucket.read_part, key(digest), version, offset, length)
        if part is None:
            self._sightings.forget(digest)
            raise StorageUnavailable(f"the blob {digest} is gone from the storage; pull the image again")
        return part

    async def _link(self, digest: Digest) -> str:
        """A link that is good for two thirds of its time at least: signing one may take a request."""
        known, now = self._links.get(digest), self._clock.seconds()
        if known is not None and abs(now - known[1]) < LINK_SECONDS / 3:
            return known[0]
        link = await self._asking.call(self._bucket.link, key(digest))
        self._links.put(digest, (link, now))
        return link


def _is_good(seen: Sighting | None, size: int) -> bool:
    return seen is not None and seen.good and seen.size == size

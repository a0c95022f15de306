"""What is known of the blobs in a bucket: which are there, and which are what their names say."""

import hashlib

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.recent import Recent
from nixery.concurrency.settled import gathered
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.bucket import Bucket, Object
from nixery.storage.retries import Retries

_REMEMBERED = 100_000
"""Blobs that are remembered, at some 500 bytes each."""

_PART = 4 << 20
"""Bytes that are read at a time of a blob that is hashed."""

_PROOFS_AT_ONCE = 2


@frozen
class Sighting:
    """A blob as it was seen. `size` in bytes; `good`: whether it is what its name says; `at`: by the clock."""

    size: int
    version: str
    good: bool
    at: float


class Sightings:
    """Looks at blobs, and remembers what it saw.

    A blob for which nobody vouches, such as Go Nixery's, is read and hashed before it counts, and vouched for then, so
    that no other instance has to; `vouches`: whether we may write that.
    """

    _log = Logger()

    def __init__(self, bucket: Bucket, asking: Retries, clock: IReactorTime, vouches: bool) -> None:
        self._bucket = bucket
        self._asking = asking
        self._clock = clock
        self._vouches = vouches
        self._seen: Recent[Digest, Sighting] = Recent(_REMEMBERED)
        self._forgotten: Recent[Digest, int] = Recent()
        self._looks: Coalescer[tuple[Digest, int], Sighting | None] = Coalescer(None)
        self._proofs: Coalescer[tuple[Digest, str], bool] = Coalescer(_PROOFS_AT_ONCE)

    async def close(self) -> None:
        """Give up all looking."""
        await gathered([self._looks.close(), self._proofs.close()])

    def forget(self, digest: Digest) -> None:
        """Look anew the next time: what comes of looks that are under way is as old as what is forgotten."""
        self._seen.drop(digest)
        self._forgotten.put(digest, self._times_forgotten(digest) + 1)

    def of(self, digest: Digest, age: float) -> Deferred[Sighting | None]:
        """The blob as it was at most `age` seconds ago, None where there is none; fails with StorageUnavailable."""
        seen = self._seen.get(digest)
        if seen is not None and abs(self._clock.seconds() - seen.at) <= age:
            return succeed(seen)
        times = self._times_forgotten(digest)
        return self._looks.join((digest, times), lambda: self._look(digest, times))

    async def prove(self, digest: Digest) -> bool:
        """Whether a blob, read anew, is what its name says."""
        found = await self._asking.call(self._bucket.look, key(digest))
        return found is not None and await self._proved(digest, found)

    def _times_forgotten(self, digest: Digest) -> int:
        return self._forgotten.get(digest) or 0

    async def _look(self, digest: Digest, times: int) -> Sighting | None:
        found = await self._asking.call(self._bucket.look, key(digest))
        seen = None if found is None else await self._judged(digest, found)
        if times == self._times_forgotten(digest):
            self._remember(digest, seen)
        return seen

    def _remember(self, digest: Digest, seen: Sighting | None) -> None:
        if seen is None:
            self._seen.drop(digest)
        else:
            self._seen.put(digest, seen)

    async def _judged(self, digest: Digest, found: Object) -> Sighting:
        seen = self._seen.get(digest)
        if seen is not None and seen.version == found.version:
            return evolve(seen, at=self._clock.seconds())
        good = found.vouched == digest.hex
        if not good:
            good = await self._proved(digest, found)
            found = await self._noted(digest, found, good)
        return Sighting(found.size, found.version, good, self._clock.seconds())

    async def _proved(self, digest: Digest, found: Object) -> bool:
        return await self._proofs.join((digest, found.version), lambda: self._hash(digest, found))

    async def _noted(self, digest: Digest, found: Object, good: bool) -> Object:
        """What there is when the outcome is written down: where it cannot be, it is hashed again after a restart."""
        if not good:
            self._log.error("{key} is not the blob that its name says; it is made again", key=key(digest))
        elif self._vouches:
            try:
                await self._asking.call(self._bucket.vouch, key(digest), found.version, digest)
                noted = await self._asking.call(self._bucket.look, key(digest))
                return noted if noted is not None and noted.vouched == digest.hex else found
            except StorageUnavailable as error:
                self._log.warn("{key} is right, which could not be noted: {error}", key=key(digest), error=error)
        return found

    async def _hash(self, digest: Digest, found: Object) -> bool:
        hashed = hashlib.sha256()
        for offset in range(0, found.size, _PART):
            length = min(_PART, found.size - offset)
            if not await self._asking.call(self._add_part, hashed, digest, found.version, offset, length):
                raise StorageUnavailable(f"the blob {digest} changed while it was read: try again")
        return hashed.hexdigest() == digest.hex

    def _add_part(self, hashed: "hashlib._Hash", digest: Digest, version: str, offset: int, length: int) -> bool:
        """Hash one more part, in a thread, as that takes a while too; says whether it was there."""
        part = self._bucket.read_part(key(digest), version, offset, length)
        if part is not None:
            hashed.update(part)
        return part is not None


def key(digest: Digest) -> str:
    """A blob's key in the bucket."""
    return f"layers/{digest.hex}"

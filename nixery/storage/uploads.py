"""Blobs on their way into a bucket: from a file in the spool to an object that is right."""

import contextlib
import os

from twisted.internet.defer import Deferred, DeferredSemaphore

from nixery.concurrency.background import Background
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.bucket import Bucket
from nixery.storage.disk import Disk
from nixery.storage.interfaces import IStaging
from nixery.storage.retries import Retries
from nixery.storage.sightings import Sightings, key
from nixery.storage.spool import Spool, require
from nixery.storage.staging import Staging

_AT_ONCE = 8
"""Far fewer than calls (bucket.CALLS), so that what waits for less is not behind uploads."""

_RIVALS = 5
"""Times that what is there may have changed under our hands."""


class Uploads:
    """Takes staged files in. One that has begun goes on when nobody waits for it any more: the blob is good."""

    def __init__(self, bucket: Bucket, asking: Retries, sightings: Sightings, spool: Spool, disk: Disk) -> None:
        self._bucket = bucket
        self._asking = asking
        self._sightings = sightings
        self._spool = spool
        self._disk = disk
        self._slots = DeferredSemaphore(_AT_ONCE)
        self._running: Background[None] = Background()

    async def close(self) -> None:
        """Give up what is under way."""
        self._running.cancel()
        await self._running.ended()

    async def stage(self) -> IStaging:
        """Begin a blob."""
        descriptor, path = await self._disk.run(self._spool.stage)
        return Staging(self._disk, descriptor, path, self._take)

    def _take(self, descriptor: int, path: str, digest: Digest, size: int) -> Deferred[None]:
        return self._running.start(self._taken(descriptor, path, digest, size))

    async def _taken(self, descriptor: int, path: str, digest: Digest, size: int) -> None:
        """Upload a file if it is right, and remove it."""
        try:
            await self._disk.run(_sealed, descriptor, digest, size)
            await self._slots.run(lambda: Deferred.fromCoroutine(self._upload(digest, path)))
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    async def _upload(self, digest: Digest, path: str) -> None:
        """What is there already stays if it is right, and is written over if it is not."""
        replaced: str | None = None
        for _ in range(_RIVALS):
            if await self._asking.call(self._bucket.upload, key(digest), path, digest, replaced):
                self._sightings.forget(digest)
                return
            self._sightings.forget(digest)
            there = await self._sightings.of(digest, age=0)
            if there is not None and there.good:
                return
            replaced = None if there is None else there.version
        raise StorageUnavailable(f"the blob {digest} is written and removed by others all the time: try again")


def _sealed(descriptor: int, digest: Digest, size: int) -> None:
    try:
        require(descriptor, digest, size)
    finally:
        os.close(descriptor)

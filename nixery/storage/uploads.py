"""Blobs on their way into a bucket: from a file in the spool to an object that is right."""

import contextlib
import os
from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.python.failure import Failure
from zope.interface import implementer

from nixery.concurrency.settled import followed, settled
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.bucket import Bucket
from nixery.storage.disk import Disk
from nixery.storage.interfaces import IStaging
from nixery.storage.retries import Retries
from nixery.storage.sightings import Sightings, key
from nixery.storage.spool import Spool, append, require

_AT_ONCE = 8
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
        self._running: set[Deferred[None]] = set()

    async def close(self) -> None:
        """Give up what is under way."""
        ended = settled(self._running)
        for work in list(self._running):
            work.cancel()
        await ended

    async def stage(self) -> IStaging:
        """Begin a blob."""
        descriptor, path = await self._disk.run(self._spool.stage)
        return _Staging(self._disk, descriptor, path, self._take)

    def _take(self, digest: Digest, path: str) -> Deferred[None]:
        """Upload a file that is right, and remove it."""
        work = Deferred.fromCoroutine(self._taken(digest, path))
        if not work.called:
            self._running.add(work)
            work.addBoth(self._ended, work)
        return followed(work)

    def _ended(self, outcome: Failure | None, work: Deferred[None]) -> Failure | None:
        self._running.discard(work)
        return outcome

    async def _taken(self, digest: Digest, path: str) -> None:
        try:
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


@implementer(IStaging)
class _Staging:
    """A file in the spool. Whoever takes the descriptor or the path out of it closes or removes it."""

    def __init__(self, disk: Disk, descriptor: int, path: str, take: Callable[[Digest, str], Awaitable[None]]) -> None:
        self._disk = disk
        self._descriptor = descriptor
        self._path: str | None = path
        self._take = take

    def fileno(self) -> int:
        """See IStaging."""
        return self._descriptor

    async def write(self, data: bytes) -> None:
        """See IStaging."""
        await self._disk.run(append, self._descriptor, data)

    async def publish(self, digest: Digest, size: int) -> None:
        """See IStaging."""
        descriptor, self._descriptor = self._descriptor, -1
        await self._disk.run(_sealed, descriptor, digest, size)
        path, self._path = self._path, None
        if path is not None:
            await self._take(digest, path)

    async def abandon(self) -> None:
        """See IStaging."""
        descriptor, self._descriptor = self._descriptor, -1
        path, self._path = self._path, None
        if path is not None:
            await self._disk.run(_discard, descriptor, path)


def _sealed(descriptor: int, digest: Digest, size: int) -> None:
    try:
        require(descriptor, digest, size)
    finally:
        os.close(descriptor)


def _discard(descriptor: int, path: str) -> None:
    if descriptor >= 0:
        os.close(descriptor)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)

"""Layers packed, each while a thread of a pool waits for it or does it, and published in the storage."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred, DeferredSemaphore

from nixery.concurrency.pool import Pool
from nixery.concurrency.uncut import Told, Uncut
from nixery.errors import ShuttingDown
from nixery.images.graph import StorePath
from nixery.images.manifest import Layer
from nixery.packing.jobs import Hands, Job, Own
from nixery.storage.interfaces import IStorage


class Packer:
    """Packs layers; at most `at_once` of them have a staging file open. What is cancelled ends by itself.

    `hands`: who does it while a thread of `pool` waits; that thread itself, unless told otherwise.
    """

    def __init__(self, pool: Pool, storage: IStorage, at_once: int = 16, hands: Hands | None = None) -> None:
        self._pool = pool
        self._hands = hands or Own()
        self._storage = storage
        self._slots = DeferredSemaphore(at_once)
        self._packs: Uncut[Layer] = Uncut()

    def get_ready(self) -> None:
        """Have at hand what packing needs, while something else goes on: there are layers to pack soon."""
        Deferred.fromCoroutine(self._pool.run(self._hands.get_ready))

    async def paths(self, paths: Sequence[StorePath], comment: str) -> Layer:
        """The stored layer of these store paths; raises PackingFailed, StorageUnavailable or ShuttingDown."""
        return await self._pack(Job(tuple(paths), comment))

    async def root(self, packages: Sequence[StorePath], comment: str) -> Layer:
        """The stored layer of the image root that joins these packages; raises as `paths` does."""
        return await self._pack(Job(tuple(packages), comment, root=True))

    async def stop(self) -> None:
        """Give up what runs, and return when all of it has ended; from now on ShuttingDown is raised."""
        await self._packs.stop()
        self._hands.end()

    async def _pack(self, job: Job) -> Layer:
        return await self._packs.run(lambda cancelled: self._work(job, cancelled))

    async def _work(self, job: Job, cancelled: Told) -> Layer:
        await self._slots.acquire()
        try:
            if cancelled.is_set():
                raise ShuttingDown()
            return await self._staged(job, cancelled)
        finally:
            self._slots.release()

    async def _staged(self, job: Job, cancelled: Told) -> Layer:
        staging = await self._storage.stage()
        try:
            layer = await self._pool.run(self._hands.pack, job, staging.fileno(), cancelled)
            await cancelled.unless(staging.publish(layer.digest, layer.size))
        finally:
            await staging.abandon()
        return layer

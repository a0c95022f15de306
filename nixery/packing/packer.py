"""Layers packed in a pool of threads and published in the storage."""

from collections.abc import Callable, Sequence
from threading import Event

from twisted.internet.defer import DeferredSemaphore

from nixery.concurrency.pool import Pool
from nixery.concurrency.uncut import Told, Uncut
from nixery.errors import PackingFailed, ShuttingDown
from nixery.images.graph import StorePath
from nixery.images.manifest import Layer
from nixery.images.root import join
from nixery.packing.layer import pack_paths, pack_root
from nixery.packing.listing import StoreListing
from nixery.storage.interfaces import IStorage

Pack = Callable[[int, Event], Layer]
"""Writes a layer to a descriptor, unless the event is set."""


class Packer:
    """Packs layers; at most `at_once` of them have a staging file open. What is cancelled ends by itself."""

    def __init__(self, pool: Pool, storage: IStorage, at_once: int = 16) -> None:
        self._pool = pool
        self._storage = storage
        self._slots = DeferredSemaphore(at_once)
        self._packs: Uncut[Layer] = Uncut()

    async def paths(self, paths: Sequence[StorePath], comment: str) -> Layer:
        """The stored layer of these store paths; raises PackingFailed, StorageUnavailable or ShuttingDown."""
        return await self._pack(lambda descriptor, cancelled: pack_paths(paths, descriptor, cancelled, comment))

    async def root(self, packages: Sequence[StorePath], comment: str) -> Layer:
        """The stored layer of the image root that joins these packages; raises as `paths` does."""
        return await self._pack(lambda descriptor, cancelled: _pack_root(packages, descriptor, cancelled, comment))

    async def stop(self) -> None:
        """Give up what runs, and return when all of it has ended; from now on ShuttingDown is raised."""
        await self._packs.stop()

    async def _pack(self, pack: Pack) -> Layer:
        return await self._packs.run(lambda cancelled: self._work(pack, cancelled))

    async def _work(self, pack: Pack, cancelled: Told) -> Layer:
        await self._slots.acquire()
        try:
            if cancelled.is_set():
                raise ShuttingDown()
            return await self._staged(pack, cancelled)
        finally:
            self._slots.release()

    async def _staged(self, pack: Pack, cancelled: Told) -> Layer:
        staging = await self._storage.stage()
        try:
            layer = await self._pool.run(pack, staging.fileno(), cancelled)
            await cancelled.unless(staging.publish(layer.digest, layer.size))
        finally:
            await staging.abandon()
        return layer


def _pack_root(packages: Sequence[StorePath], descriptor: int, cancelled: Event, comment: str) -> Layer:
    listing = StoreListing(packages[0].directory if packages else "/")
    try:
        entries = join(packages, listing)
    except ValueError as error:
        raise PackingFailed(f"the packages cannot be joined into an image root: {error}") from error
    return pack_root(entries, descriptor, cancelled, comment)

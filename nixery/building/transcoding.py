"""Zstd layers, made of stored gzip layers: each once, however many images want it."""

import json
from collections.abc import AsyncIterator

from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.pool import Pool
from nixery.concurrency.uncut import Told, Uncut
from nixery.errors import StorageUnavailable
from nixery.images.canonical import encode
from nixery.images.manifest import Blob, Layer, decode_blob, encode_blob
from nixery.packing.stored import pieces
from nixery.packing.transcoding import NoGzip, Transcoding
from nixery.packing.zstd import encoder_fingerprint
from nixery.storage.interfaces import IStaging, IStorage, Location
from nixery.storage.records import parsed, write_record


class Transcoder:
    """Makes zstd layers in a pool of threads, at most `at_once` at a time.

    v1/zstd/<gzip layer>.<encoder>: for a digest and a fingerprint, the digest and the size of the zstd layer.
    """

    def __init__(self, storage: IStorage, pool: Pool, at_once: int) -> None:
        self._storage = storage
        self._pool = pool
        self._layers: Coalescer[Layer, Blob] = Coalescer(at_once)
        self._works: Uncut[Blob] = Uncut()

    async def close(self) -> None:
        """Give up what is being made; returns when nothing is left of it."""
        await self._layers.close()
        await self._works.stop()

    async def of(self, layer: Layer) -> Blob:
        """The stored zstd layer with the same tar as this stored layer.

        Raises StorageUnavailable, also when the stored layer is not what `layer` says, or ShuttingDown.
        """
        return await self._layers.join(layer, lambda: self._had(layer))

    async def _had(self, layer: Layer) -> Blob:
        name = f"v1/zstd/{layer.digest.hex}.{encoder_fingerprint()}"
        known = parsed(name, await self._storage.read_record(name), lambda data: decode_blob(json.loads(data)))
        if known is not None and await self._storage.has_all({known.digest: known.size}):
            return known
        blob = await self._works.run(lambda cancelled: self._staged(layer, cancelled))
        await write_record(self._storage, name, encode(encode_blob(blob)))
        return blob

    async def _staged(self, layer: Layer, cancelled: Told) -> Blob:
        location = await cancelled.unless(self._storage.find(layer.digest))
        if location is None:
            raise StorageUnavailable(f"the layer {layer.digest} is no longer stored; pull again")
        staging = await self._storage.stage()
        try:
            blob = await self._written(layer, location, staging, cancelled)
            await cancelled.unless(staging.publish(blob.digest, blob.size))
        finally:
            await staging.abandon()
        return blob

    async def _written(self, layer: Layer, location: Location, staging: IStaging, cancelled: Told) -> Blob:
        try:
            transcoding = await self._pool.run(Transcoding, staging.fileno(), cancelled)
            stored = pieces(location, self._pool)
            while piece := await cancelled.unless(_next(stored)):
                await self._pool.run(transcoding.feed, piece)
            diff_id, blob = await self._pool.run(transcoding.end)
        except NoGzip as error:
            raise _damaged(layer, str(error)) from error
        if diff_id != layer.diff_id:
            raise _damaged(layer, f"its tar has the digest {diff_id} instead of {layer.diff_id}")
        return blob


async def _next(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces, b"")


def _damaged(layer: Layer, why: str) -> StorageUnavailable:
    return StorageUnavailable(
        f"the stored layer {layer.digest} is not what is recorded of it: {why}; "
        "remove that blob from the storage, and it is made again"
    )

"""What is known of images and layers already made: their records in the storage."""

import json

from twisted.logger import Logger

from nixery.images.digest import Digest
from nixery.images.manifest import Format, ImageRecord, Layer, decode_layer, encode_layer
from nixery.images.recipe import Recipe
from nixery.storage.interfaces import IStorage

_MANIFEST_BYTES = 4 << 20
"""Larger blobs are no manifests of ours (the specification has registries take at least 4 MiB)."""


class Cache:
    """Records of images, layers and recipes. A record that names what is not stored counts as none."""

    _log = Logger()

    def __init__(self, storage: IStorage) -> None:
        self._storage = storage

    async def image(self, key: str) -> ImageRecord | None:
        """The image of a BuildKey, if it and all of its blobs are stored."""
        data = await self._storage.read_record(f"v1/images/{key}")
        if data is None:
            return None
        try:
            record = ImageRecord.decode(data)
        except ValueError as error:
            self._log.warn("the record of image {key} is passed over: {error}", key=key, error=error)
            return None
        return record if await self._storage.has_all(record.blobs()) else None

    async def layer(self, key: str) -> Layer | None:
        """The layer of a layer key, if its blob is stored."""
        data = await self._storage.read_record(f"v1/layers/{key}")
        if data is None:
            return None
        try:
            layer = decode_layer(json.loads(data))
        except (ValueError, KeyError, TypeError) as error:
            self._log.warn("the record of layer {key} is passed over: {error}", key=key, error=error)
            return None
        return layer if await self._storage.has_all({layer.digest: layer.size}) else None

    async def remember_layer(self, key: str, layer: Layer) -> None:
        """Record a stored layer."""
        await self.write(f"v1/layers/{key}", json.dumps(encode_layer(layer)).encode())

    async def store(self, record: ImageRecord) -> None:
        """Store the blobs of an image whose layers are stored: its config and its manifests."""
        await self.store_blob(record.config())
        for format in Format:
            await self.store_blob(record.manifest(format))

    async def remember(self, recipe: Recipe, record: ImageRecord) -> None:
        """Record an image of which everything is stored, under its BuildKey and under its manifests' digests."""
        for format in Format:
            await self.write(f"v1/recipes/{Digest.of(record.manifest(format)).hex}", recipe.encode())
        await self.write(f"v1/images/{recipe.key()}", record.encode())

    async def manifest(self, digest: Digest) -> bytes | None:
        """A stored manifest, if all that it names is stored."""
        found = await self._storage.find(digest)
        if found is None or found.size > _MANIFEST_BYTES:
            return None
        data = await self._storage.read(digest, _MANIFEST_BYTES)
        if data is None or await self._storage.has_all(_named(data)):
            return data
        return None

    async def recipe(self, digest: Digest) -> Recipe | None:
        """The recipe of the image with this manifest."""
        data = await self._storage.read_record(f"v1/recipes/{digest.hex}")
        try:
            return None if data is None else Recipe.decode(data)
        except ValueError as error:
            self._log.warn("the recipe of {digest} is passed over: {error}", digest=digest, error=error)
            return None

    async def store_blob(self, data: bytes) -> None:
        """Store a small blob."""
        digest = Digest.of(data)
        if not await self._storage.has_all({digest: len(data)}):
            staging = await self._storage.stage()
            try:
                await staging.write(data)
                await staging.publish(digest, len(data))
            finally:
                await staging.abandon()

    async def read(self, name: str) -> bytes | None:
        """A record's bytes, or None."""
        data: bytes | None = await self._storage.read_record(name)
        return data

    async def write(self, name: str, data: bytes) -> None:
        """Make a record say this, whatever it said before."""
        while not await self._storage.create_record(name, data):
            old = await self._storage.read_record(name)
            if old == data or (old is not None and await self._storage.swap_record(name, old, data)):
                return


def _named(manifest: bytes) -> dict[Digest, int]:
    """The blobs that a manifest or an index names, with their sizes; none when it is neither."""
    try:
        value = json.loads(manifest)
        blobs = value["manifests"] if "manifests" in value else (value["config"], *value["layers"])
        return {Digest.parse(blob["digest"]): int(blob["size"]) for blob in blobs}
    except (ValueError, KeyError, TypeError):
        return {}

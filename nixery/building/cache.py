"""What is known of images and layers already made: their records in the storage."""

import json
from collections.abc import Callable, Iterable
from typing import TypeVar

from twisted.internet.defer import Deferred

from nixery.concurrency.settled import gathered
from nixery.images.canonical import encode
from nixery.images.digest import Digest
from nixery.images.index import ImageIndex, IndexRecord, Rendered
from nixery.images.manifest import Format, ImageRecord, Layer, decode_layer, encode_layer
from nixery.images.recipe import Recipe
from nixery.storage.interfaces import IStorage
from nixery.storage.records import parsed, write_record

T = TypeVar("T")

_MANIFEST_BYTES = 4 << 20
"""Larger blobs are no manifests of ours (the specification has registries take at least 4 MiB)."""


class Cache:
    """Records of images, layers and recipes. A record that names what is not stored counts as none."""

    def __init__(self, storage: IStorage) -> None:
        self._storage = storage

    @property
    def abreast(self) -> int:
        """See IStorage."""
        return self._storage.abreast

    async def image(self, key: str) -> ImageRecord | None:
        """The image of a BuildKey, if it and all of its blobs are stored."""
        record = await self._parsed(f"v1/images/{key}", ImageRecord.decode)
        return record if record is not None and await self._storage.has_all(record.blobs()) else None

    async def index(self, key: str) -> IndexRecord | None:
        """The index under a key or a digest's hexadecimal digits; whether its images are stored is not asked."""
        return await self._parsed(f"v1/indexes/{key}", IndexRecord.decode)

    async def whole(self, record: IndexRecord) -> ImageIndex | None:
        """An index, if all of its images are stored, and are those that it was made of."""
        return record.of([await self.image(key) for key, _ in record.images])

    async def rendered(self, key: str) -> Rendered | None:
        """What a BuildKey or an index's key stands for, if all of it is stored."""
        image = await self.image(key)
        record = await self.index(key) if image is None else None
        return image if record is None else await self.whole(record)

    async def layer(self, key: str) -> Layer | None:
        """The layer of a layer key, if its blob is stored."""
        layer = await self._parsed(f"v1/layers/{key}", lambda data: decode_layer(json.loads(data)))
        return layer if layer is not None and await self._storage.has_all({layer.digest: layer.size}) else None

    async def remember_layer(self, key: str, layer: Layer) -> None:
        """Record a stored layer."""
        await self._write(f"v1/layers/{key}", encode(encode_layer(layer)))

    async def store(self, record: ImageRecord) -> None:
        """Store the blobs of an image whose layers are stored: its config and its manifests, side by side."""
        blobs = [record.config(), *map(record.manifest, Format)]
        await gathered([Deferred.fromCoroutine(self._store_blob(blob)) for blob in blobs])

    async def remember(self, recipe: Recipe, record: ImageRecord) -> None:
        """Record an image of which everything is stored, under its BuildKey and under its manifests' digests."""
        names = [f"v1/recipes/{Digest.of(record.manifest(format)).hex}" for format in Format]
        await gathered([Deferred.fromCoroutine(self._write(name, recipe.encode())) for name in names])
        await self._write(f"v1/images/{recipe.key()}", record.encode())

    async def remember_index(self, key: str, record: IndexRecord, rendered: Iterable[bytes]) -> None:
        """Store an index in its forms, and record it under its key and under their digests."""
        for form in rendered:
            await self._store_blob(form)
            await self._write(f"v1/indexes/{Digest.of(form).hex}", record.encode())
        await self._write(f"v1/indexes/{key}", record.encode())

    async def manifest(self, digest: Digest) -> bytes | None:
        """A stored manifest, if all that it names is stored; an index, if each of its manifests is such a one."""
        found = await self._storage.find(digest)
        if found is None or found.size > _MANIFEST_BYTES:
            return None
        data = await self._storage.read(digest, _MANIFEST_BYTES)
        if data is None:
            return None
        blobs, children = _named(data)
        whole = await self._storage.has_all(blobs) and None not in [await self.manifest(child) for child in children]
        return data if whole else None

    async def recipe(self, digest: Digest) -> Recipe | None:
        """The recipe of the image with this manifest."""
        return await self._parsed(f"v1/recipes/{digest.hex}", Recipe.decode)

    async def _store_blob(self, data: bytes) -> None:
        digest = Digest.of(data)
        if not await self._storage.has_all({digest: len(data)}):
            staging = await self._storage.stage()
            try:
                await staging.write(data)
                await staging.publish(digest, len(data))
            finally:
                await staging.abandon()

    async def _parsed(self, name: str, parse: Callable[[bytes], T]) -> T | None:
        return parsed(name, await self._storage.read_record(name), parse)

    async def _write(self, name: str, data: bytes) -> None:
        await write_record(self._storage, name, data)


def _named(manifest: bytes) -> tuple[dict[Digest, int], list[Digest]]:
    """A manifest's blobs with their sizes, and the manifests that an index names; else none."""
    try:
        value = json.loads(manifest)
        if "manifests" in value:
            return {}, [Digest.parse(child["digest"]) for child in value["manifests"]]
        blobs = (value["config"], *value["layers"])
        return {Digest.parse(blob["digest"]): int(blob["size"]) for blob in blobs}, []
    except (ValueError, KeyError, TypeError):
        return {}, []

"""What the tests of a whole storage share: images in the memory storage, as a builder leaves them."""

from attrs import define, field

from nixery.building.cache import Cache
from nixery.images.digest import DiffID, Digest
from nixery.images.index import ImageIndex, IndexFormat, IndexRecord
from nixery.images.manifest import Blob, Format, ImageRecord, Layer
from nixery.images.name import Platform
from nixery.images.recipe import Recipe
from nixery.storage.memory import MemoryStorage


@define
class Stored:
    """A storage with two images that share a layer, of which one has its zstd layer too, and an index of both."""

    storage: MemoryStorage = field(factory=MemoryStorage)
    images: list[ImageRecord] = field(factory=list)
    keys: list[str] = field(factory=list)

    async def fill(self) -> "Stored":
        zstd = Blob(self.blob(b"zstd"), 4)
        shared = Layer(DiffID.of(b"shared"), self.blob(b"shared layer"), 12, zstd=zstd)
        for platform in Platform:
            own = Layer(DiffID.of(b"own"), self.blob(platform.value.encode()), len(platform.value))
            await self.image(ImageRecord(platform, (shared, own)))
        cache = Cache(self.storage)
        for number, layer in enumerate(self.images[0].layers):
            await cache.remember_layer(f"{number}" * 64, layer)
        index = ImageIndex(tuple(self.images))
        named = tuple((key, Digest.of(im.manifest(Format.OCI))) for key, im in zip(self.keys, self.images, strict=True))
        await cache.remember_index("f" * 64, IndexRecord(named, ()), map(index.manifest, IndexFormat))
        return self

    async def image(self, record: ImageRecord) -> None:
        cache = Cache(self.storage)
        recipe = Recipe("path", "pin", "e", ("hello",), record.platform, (), "graph", 94, "1", "gzip")
        await cache.store(record)
        await cache.remember(recipe, record)
        self.images.append(record)
        self.keys.append(recipe.key())

    def blob(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        self.storage.blobs[digest] = data
        return digest

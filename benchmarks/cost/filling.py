"""A storage folder with many images in it, put there by the project's own code."""

from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from twisted.internet.task import Clock

from nixery.building.cache import Cache
from nixery.building.last_good import LastGood, Wanted
from nixery.concurrency.pool import Inline
from nixery.images.canonical import fingerprint
from nixery.images.digest import DiffID, Digest
from nixery.images.manifest import Format, ImageRecord, Layer
from nixery.images.name import ImageName, Platform, Tag
from nixery.images.recipe import Recipe
from nixery.registry.catalog import Catalog
from nixery.sources import origins
from nixery.storage.filesystem import FilesystemStorage
from nixery.storage.folder import Folder
from nixery.storage.interfaces import IStorage

REPOSITORY = "https://packages.example/set.git"
"""By whose tags the images were had."""


def fill(folder: str, numbers: Iterable[int]) -> None:
    """Store the images of these numbers.

    Each has a layer, a name and a tag of REPOSITORY of its own. Nothing is synced, as nothing has to outlast a crash.
    """
    storage = FilesystemStorage(Folder(folder), Inline())
    good, catalog = LastGood(storage, Clock(), 1.0), Catalog(storage)
    with patch("os.fsync"):
        storage.startService()
        for number in numbers:
            _at_once(_store(storage, good, catalog, number))
        storage.stopService()


def name_of(number: int) -> str:
    """That image's name."""
    return f"package-{number}"


def manifest_of(number: int) -> Digest:
    """The digest of that image's manifest."""
    return Digest.of(_record(number).manifest(Format.OCI))


async def _store(storage: IStorage, good: LastGood, catalog: Catalog, number: int) -> None:
    cache, record, recipe = Cache(storage), _record(number), _recipe(number)
    staging = await storage.stage()
    await staging.write(_layer_bytes(number))
    await staging.publish(record.layers[0].digest, record.layers[0].size)
    await cache.remember_layer(fingerprint(number), record.layers[0])
    await cache.store(record)
    await cache.remember(recipe, record)
    name = ImageName.parse(name_of(number))
    where = origins.git(REPOSITORY, submodules=False).words
    await good.remember(Wanted(where, Tag(f"v{number}"), name, (Platform.AMD64,)), recipe.pin, recipe.key())
    await catalog.add(name)


def _record(number: int) -> ImageRecord:
    data = _layer_bytes(number)
    return ImageRecord(Platform.AMD64, (Layer(DiffID.of(data), Digest.of(data), len(data)),))


def _layer_bytes(number: int) -> bytes:
    return b"layer %d" % number


def _recipe(number: int) -> Recipe:
    return Recipe("git", f"{number:040x}", "", (name_of(number),), Platform.AMD64, (), "graph", 94, "", "")


def _at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for."""
    with suppress(StopIteration):
        work.send(None)
        raise AssertionError("a pool that is not inline")

"""The names under which images were had, as records in the storage: what `_catalog` lists."""

import math
from collections.abc import Collection

from twisted.logger import Logger

from nixery.concurrency.abreast import abreast
from nixery.concurrency.coalescer import Coalescer
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.images.name import ImageName
from nixery.storage.interfaces import IStorage

MOST = 10_000
"""Names that are kept. Whoever may pull can make up names without end, by naming packages in another order."""

_FOLDER = "v1/names"

_PART = 8
"""One in so many of the names that there is room for is added before all are counted again: others add some too."""


class Catalog:
    """Names of images. Their records never change, so each is read once; all instances of a storage share them.

    `grows`: whether names are added; else what others have kept is listed.
    """

    _log = Logger()

    def __init__(self, storage: IStorage, grows: bool = True) -> None:
        self._storage = storage
        self._grows = grows
        self._names: dict[str, str] = {}
        self._left = 0
        self._full = False
        self._reads: Coalescer[None, None] = Coalescer(None)

    async def add(self, name: ImageName) -> None:
        """Keep a name under which an image was had. A storage that cannot is logged, and harms no pull."""
        word = Digest.of(name.text.encode()).hex
        try:
            if self._grows and word not in self._names and await self._has_room():
                self._left -= 1  # before anything is waited for: others are kept meanwhile, and failures may have been
                await self._storage.create_record(f"{_FOLDER}/{word}", name.text.encode())
                self._names[word] = name.text
        except StorageUnavailable as error:
            self._log.warn("{name} is not kept for the catalog: {error}", name=name.text, error=error)

    async def names(self) -> Collection[str]:
        """All names that are kept; raises StorageUnavailable."""
        await self._reads.join(None, self._read_all)
        return self._names.values()

    async def _read_all(self) -> None:
        """Once for however many ask: each on its own would take as many calls of a bucket again."""
        words = await self._storage.list_records(_FOLDER, "", MOST)
        await abreast([word for word in words if word not in self._names], self._storage.abreast, self._read)

    async def _has_room(self) -> bool:
        """Names are counted now and then, as thousands of them take milliseconds; once full, it is so for good."""
        if self._left <= 0 and not self._full:
            room = MOST - len(await self._storage.list_records(_FOLDER, "", MOST))
            self._left, self._full = math.ceil(room / _PART), room <= 0
        return not self._full

    async def _read(self, word: str) -> None:
        data = await self._storage.read_record(f"{_FOLDER}/{word}")
        if data is not None and Digest.of(data).hex == word:
            self._names[word] = data.decode()
        else:
            self._log.warn("the record {word} of the catalog is passed over: it holds another name", word=word)

"""The tags of a package set under which images were had, by the records of their last good states."""

import json
from collections.abc import Collection

from nixery.building.last_good import hashed
from nixery.concurrency.abreast import abreast
from nixery.concurrency.coalescer import Coalescer
from nixery.storage.interfaces import IStorage
from nixery.storage.records import parsed

MOST = 10_000
"""Tags that are listed."""

_PAGE = 10_000
_ANY = ".any"


class RecordedTags:
    """What a record's name stands for never changes, so each is read once. `where`: as in Wanted."""

    def __init__(self, storage: IStorage, where: str) -> None:
        self._storage = storage
        self._start = f"{hashed(where)}."
        self._tags: dict[str, str] = {}
        self._reads: Coalescer[None, Collection[str]] = Coalescer(None)

    async def tags(self) -> Collection[str]:
        """The tags; raises StorageUnavailable."""
        return await self._reads.join(None, self._read_all)

    async def _read_all(self) -> Collection[str]:
        """Once for however many ask, as in nixery.registry.catalog."""
        words = await self._words()
        await abreast([word for word in words if word not in self._tags], self._storage.abreast, self._read)
        return [self._tags[word] for word in words if word in self._tags]

    async def _words(self) -> list[str]:
        """The last words of the records for any image, of which each tag has one."""
        found: list[str] = []
        after = self._start
        while len(found) < MOST and (page := await self._storage.list_records("v1/tags", after, _PAGE)):
            ours = [word for word in page if word.startswith(self._start)]
            found += (word for word in ours if word.endswith(_ANY))
            if len(ours) < len(page):
                break
            after = page[-1]
        return found[:MOST]

    async def _read(self, word: str) -> None:
        name = f"v1/tags/{word}"
        tag = parsed(name, await self._storage.read_record(name), _tag)
        if tag is not None and word == f"{self._start}{hashed(tag)}{_ANY}":
            self._tags[word] = tag


def _tag(data: bytes) -> str:
    return str(json.loads(data)["tag"])

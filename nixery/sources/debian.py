"""The Debian package set: our expressions with an index that nixery-debian-index has written."""

from collections.abc import Collection

from nixery.concurrency.pool import Pool
from nixery.errors import ManifestUnknown, SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources import origins
from nixery.sources.debian_index import Index, index_with, read_index
from nixery.sources.debian_refresh import Refresher
from nixery.sources.interfaces import LATEST, Origin


class DebianSource:
    """See Source. Any tag means the newest state. Pinned by the index's content hash, which the index itself says.

    `index`: a path that leads to it; `expression`: our Debian expressions; `refresher`: of that index, None to leave it
    as it is.
    """

    def __init__(self, index: str, expression: str, threads: Pool, refresher: Refresher | None = None) -> None:
        self._index = index
        self._expression = expression
        self._threads = threads
        self._refresher = refresher

    async def pin(self, tag: Tag) -> PinnedSource:
        """See Source. An index that somebody else has put in its place is seen at once."""
        if self._refresher is not None:
            await self._refresher.refresh()
        return self._pinned(await self._threads.run(read_index, self._index))

    def current(self, tag: Tag) -> PinnedSource | None:
        """See Source: only the index says, which is read in a thread."""
        return None

    async def again(self, pin: str) -> PinnedSource:
        """See Source: the index of now, or the one before."""
        index = await self._threads.run(index_with, self._index, pin)
        if index is None:
            raise ManifestUnknown(f"the index {self._index} has changed since, and what it was is no longer kept")
        return self._pinned(index)

    async def still(self, pinned: PinnedSource) -> bool:
        """See Source. Not so where the index lies in a plain folder, and was replaced in place."""
        try:
            return (await self._threads.run(read_index, dict(pinned.arguments)["index"])).pin == pinned.pin
        except SourceUnavailable:
            return False

    async def renew(self, pinned: PinnedSource) -> bool:
        """See Source."""
        if self._refresher is not None and await self._is_current(pinned):
            await self._refresher.renew(pinned.pin)
        return not await self._is_current(pinned)

    async def tags(self) -> Collection[str]:
        """See Source: whatever the tag, it is the newest state."""
        return {LATEST.text}

    @property
    def origin(self) -> Origin:
        """See Source."""
        return origins.debian(self._index)

    def lasting(self, tag: Tag) -> bool:
        """See Source."""
        return True

    async def _is_current(self, pinned: PinnedSource) -> bool:
        return (await self._threads.run(read_index, self._index)).pin == pinned.pin

    def _pinned(self, index: Index) -> PinnedSource:
        return PinnedSource("debian", index.pin, self._expression, (("index", index.folder),))

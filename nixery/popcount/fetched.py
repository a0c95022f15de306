"""A whole count over a binary cache, from the paths that it begins with to what is found."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from nixery.errors import SourceUnavailable
from nixery.fetching.address import Address
from nixery.fetching.agent import IReactorWeb
from nixery.fetching.heads import Pool
from nixery.fetching.proxy import Proxies
from nixery.fetching.web import Web
from nixery.popcount.binary_cache import BinaryCache
from nixery.popcount.channel import store_paths
from nixery.popcount.crawl import Crawl, Found, Step
from nixery.popcount.remembered import Remembered

AT_ONCE = 32
_SECONDS = 30.0

Listing = Callable[[Web], Awaitable[Sequence[str]]]
"""Gives the digests of the store paths to begin with."""


@frozen
class CacheCount:
    """What to count, and in which cache.

    `cache`: the binary cache's URL; `folder`: where its answers are kept; `proxies`: by which it is reached.
    """

    listing: Listing
    cache: str
    folder: Path
    step: Step
    proxies: Proxies

    async def run(self, reactor: IReactorWeb) -> Found:
        """Count; raises SourceUnavailable and ConfigError."""
        pool = Pool(reactor)
        pool.maxPersistentPerHost = AT_ONCE
        web = Web(reactor, _SECONDS, self.proxies, pool)
        try:
            return await self._count(web, reactor)
        finally:
            await pool.closeCachedConnections()

    async def _count(self, web: Web, clock: IReactorTime) -> Found:
        cache = BinaryCache(self.cache, web, clock)
        shown = Address.parse(self.cache).shown
        await cache.check()
        digests = await self.listing(web)
        with Remembered(self.folder / f"popcount-{hashlib.sha256(shown.encode()).hexdigest()[:16]}.sqlite") as known:
            found = await Crawl(cache.references, known, AT_ONCE, self.step).of(digests)
        if found.missing == found.asked:
            raise SourceUnavailable(f"{shown} has none of the {found.asked} store paths: is it the set's binary cache?")
        return found


def of_channel(url: str, channel: str) -> Listing:
    """The paths of a channel; `url`: where channels are."""
    return lambda web: store_paths(web, url, channel)


def of_digests(digests: Sequence[str]) -> Listing:
    """Paths that are known already."""

    async def listing(web: Web) -> Sequence[str]:
        return digests

    return listing

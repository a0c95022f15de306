"""A binary cache over HTTP: <cache>/<digest>.narinfo (Nix manual, "HTTP Binary Cache Store")."""

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from nixery.errors import SourceUnavailable
from nixery.fetching.address import shown
from nixery.fetching.web import Page, Web
from nixery.popcount import narinfo

_TRIES = 4
_PAUSE = 1.0  # seconds before the second try; twice as many before each further one
# Amazon S3 says 403 of a key that is not there to those who may not list keys.
_MISSING = frozenset({403, 404, 410})


@frozen
class BinaryCache:
    """One cache. `url`: as a substituter of Nix is given, with http or https."""

    url: str
    web: Web
    clock: IReactorTime

    async def check(self) -> None:
        """Raises SourceUnavailable where there is no binary cache."""
        page = await self._page("nix-cache-info")
        if page.status != 200 or b"StoreDir" not in page.body:
            raise SourceUnavailable(f"{shown(self.url)} is no binary cache: it has no nix-cache-info")

    async def references(self, digest: str) -> tuple[str, ...] | None:
        """What a path refers to; None when the cache does not have it. Raises SourceUnavailable."""
        page = await self._page(f"{digest}.narinfo")
        if page.status in _MISSING:
            return None
        if page.status != 200:
            raise SourceUnavailable(f"{page.url} is answered with status {page.status}")
        try:
            return narinfo.references(page.body, digest)
        except ValueError as error:
            raise SourceUnavailable(f"{shown(page.url)} cannot be made sense of: {error}") from error

    async def _page(self, name: str) -> Page:
        """A page; what may pass is tried again."""
        url = f"{self.url.rstrip('/')}/{name}"
        for attempt in range(1, _TRIES):
            try:
                page = await self.web.get(url, narinfo.MOST)
            except SourceUnavailable:
                page = None
            if page is not None and page.status < 500 and page.status != 429:
                return page
            await deferLater(self.clock, _PAUSE * 2 ** (attempt - 1))
        return await self.web.get(url, narinfo.MOST)

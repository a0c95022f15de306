"""Where a popularity file is kept: a file of this host, or a page that is remembered on disk."""

import contextlib
import hashlib
import json
import os
from typing import Protocol, Self

from attrs import frozen
from twisted.logger import Logger

from nixery.concurrency.pool import Pool
from nixery.errors import SourceUnavailable
from nixery.fetching.address import Address
from nixery.fetching.web import Web
from nixery.images.popularity import Popularity

MOST = 16 << 20
"""Bytes of a popularity file."""

_HEAD = 1 << 16  # bytes, for the line with the ETag: an HTTP header is shorter


@frozen
class Known:
    """A popularity, and the ETag of the page that it was read from, or None."""

    popularity: Popularity
    etag: str | None = None

    @classmethod
    def parse(cls, data: bytes, etag: str | None = None) -> Self:
        """From what was read; raises ValueError."""
        try:
            return cls(Popularity.parse(data), etag)
        except RecursionError as error:
            raise ValueError("a popularity file is a JSON object of names to counts") from error


class Place(Protocol):
    """Where a popularity is kept."""

    @property
    def words(self) -> str:
        """What and where it is, for a person."""

    def at_hand(self) -> Known | None:
        """What can be had at once, for the start; raises OSError and ValueError where that is a wrong setting."""

    async def newest(self, known: Known | None) -> Known:
        """What is there now, `known` being what was there before; raises OSError, ValueError and SourceUnavailable."""


def place_of(url: str, web: Web, folder: str, pool: Pool) -> Place:
    """The place at a URL, or at the absolute path of a file. `folder`: for what is remembered of pages."""
    if url.startswith(("http://", "https://")):
        return Remote(url, web, folder, pool)
    return Local(url.removeprefix("file://"), pool)


class Local:
    """A file of this host."""

    def __init__(self, path: str, pool: Pool) -> None:
        self.words = path
        self._pool = pool

    def at_hand(self) -> Known:
        """See Place."""
        return Known.parse(_read(self.words))

    async def newest(self, known: Known | None) -> Known:
        """See Place."""
        return await self._pool.run(self.at_hand)


class Remote:
    """A page. What was had of it last is a file: a line of JSON with the ETag, then the page as it was."""

    _log = Logger(namespace="nixery.fetching.popularity")

    def __init__(self, url: str, web: Web, folder: str, pool: Pool) -> None:
        address = Address.parse(url)
        self.words = address.shown
        self._url = url
        self._web = web
        self._pool = pool
        self._file = os.path.join(folder, hashlib.sha256(address.url.encode()).hexdigest())

    def at_hand(self) -> Known | None:
        """See Place. A file that is damaged counts as none: the page is there to be fetched."""
        try:
            head, _, page = _read(self._file).partition(b"\n")
            etag = json.loads(head)
            return Known.parse(page, etag if isinstance(etag, str) else None)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            self._log.warn("what is remembered of {place} is left out: {error}", place=self.words, error=error)
            return None

    async def newest(self, known: Known | None) -> Known:
        """See Place."""
        page = await self._web.get(self._url, MOST, known.etag if known else None)
        if known is not None and page.status == 304:
            return known
        if page.status != 200:
            raise SourceUnavailable(f"{self.words} is answered with status {page.status}")
        return await self._pool.run(self._take, page.body, page.etag)

    def _take(self, page: bytes, etag: str | None) -> Known:
        known = Known.parse(page, etag)
        try:
            write(self._file, json.dumps(etag).encode() + b"\n" + page)
        except OSError as error:
            self._log.warn("{place} cannot be remembered: {error}", place=self.words, error=error)
        return known


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read(MOST + _HEAD)
    if len(data) == MOST + _HEAD:
        raise ValueError(f"it has more than {MOST} bytes")
    return data


def write(path: str, data: bytes) -> None:
    """Replace a file, so that it is whole whenever the host stops; raises OSError, and then leaves what is there."""
    new = f"{path}.new"
    try:
        with open(new, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)
        raise

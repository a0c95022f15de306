"""A package set in a folder of this host. Any tag means its newest state."""

import contextlib
import os
from collections.abc import Collection

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.concurrency.pool import Pool
from nixery.concurrency.turns import Turns
from nixery.errors import ManifestUnknown, ShuttingDown, SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources import origins
from nixery.sources.folder import Folder, Look
from nixery.sources.interfaces import LATEST, Origin


@frozen
class _Seen:
    """A look, and when it began by the clock."""

    look: Look
    began: float
    pinned: PinnedSource


class PathSource(Service):
    """See Source. Pinned by the store path, where it lies in the Nix store, and else by a hash of its content.

    The folder is watched, and nothing is read while nothing is edited. Where edits are not told of, it is read again
    when the last look is older than `ttl` seconds. `expression`: our path.nix, by which Nix reads exactly what was
    pinned or fails. `seconds`: the most that reading may take.
    """

    _log = Logger()

    def __init__(
        self, path: str, expression: str, threads: Pool, clock: IReactorTime, ttl: float, seconds: float = 600.0
    ) -> None:
        self._path = path
        self._expression = expression
        self._folder = Folder(path, seconds)
        self._threads = threads
        self._clock = clock
        self._ttl = ttl
        self._turns = Turns(self._look)
        self._last: _Seen | None = None
        self._latest: tuple[Look, PinnedSource] | None = None
        self._newer_than = float("-inf")
        self._warned: str | None = None
        self._stopped = False

    def startService(self) -> None:
        """Begin to answer. The folder is first looked at when somebody asks."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._stopped = False

    def stopService(self) -> Deferred[None]:
        """Watch no more; fires when the look under way has ended."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._stopped = True
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        with contextlib.suppress(ShuttingDown):
            await self._turns.join()  # comes after the look under way
        self._folder.close()

    async def pin(self, tag: Tag) -> PinnedSource:
        """See Source; raises ShuttingDown too. However many call, one walk is under way.

        An edit made on this host before the call is seen; where edits are not told of, one older than the TTL is.
        """
        seen = self._current() or await self._turns.join()
        return seen.pinned

    def current(self, tag: Tag) -> PinnedSource | None:
        """See Source."""
        seen = self._current()
        return None if seen is None else seen.pinned

    async def again(self, pin: str) -> PinnedSource:
        """See Source: there is but the newest state."""
        pinned = await self.pin(LATEST)
        if pinned.pin != pin:
            raise ManifestUnknown(f"the package set {self._path} was edited since; pull the image by its tag")
        return pinned

    async def still(self, pinned: PinnedSource) -> bool:
        """See Source: Nix has read what was pinned, from a copy of that hash, whatever became of the folder."""
        return True

    async def renew(self, pinned: PinnedSource) -> bool:
        """See Source. Whether the folder was edited since, even if by now it is as it was.

        Where edits are not told of, it is looked at again.
        """
        self._newer_than = self._clock.seconds()
        return await self.pin(LATEST) is not pinned

    async def tags(self) -> Collection[str]:
        """See Source: whatever the tag, it is the newest state."""
        return {LATEST.text}

    @property
    def origin(self) -> Origin:
        """See Source."""
        return origins.folder(self._path)

    def lasting(self, tag: Tag) -> bool:
        """See Source: who edits a set on this host wants to see that."""
        return False

    def _current(self) -> _Seen | None:
        """What was seen last, if that holds still."""
        if self._last is not None and not self._holds(self._last):
            self._last = None
        return self._last

    def _holds(self, seen: _Seen) -> bool:
        if self._stopped:
            return False
        if seen.look.untold is None:
            return self._folder.unedited(seen.look)
        return seen.began > self._newer_than and 0 <= self._clock.seconds() - seen.began < self._ttl

    async def _look(self) -> _Seen:
        current = self._current()  # the look before this one may do: nothing was edited since
        if current is not None:
            return current
        if self._stopped:
            raise ShuttingDown()
        began = self._clock.seconds()
        try:
            look = await self._threads.run(self._folder.look)
        except OSError as error:
            raise SourceUnavailable(f"the package set {self._path} cannot be read: {_words(error)}") from error
        self._warn(look.untold)
        self._last = seen = _Seen(look, began, self._pinned(look))
        return seen

    def _pinned(self, look: Look) -> PinnedSource:
        """What a look is pinned as: the same object for the same look, for renew to know it by."""
        if self._latest is None or self._latest[0] is not look:
            folder, hash = ("folder", look.place), ("hash", look.pin)
            arguments = (folder,) if look.pin == look.place else (folder, hash)
            self._latest = look, PinnedSource("path", look.pin, self._expression, arguments)
        return self._latest[1]

    def _warn(self, untold: str | None) -> None:
        if untold not in (None, self._warned):
            self._log.warn(
                "the package set {path} is read every {ttl:g} s, and edits are seen that late: {why}",
                path=self._path,
                ttl=self._ttl,
                why=untold,
            )
        self._warned = untold


def _words(error: OSError) -> str:
    """What went wrong, and with which file."""
    file = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
    return "".join(letter if letter.isprintable() else "?" for letter in file) + (error.strerror or str(error))

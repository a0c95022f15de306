"""What refs mean, remembered: in this process, and in records that outlive it and that others share."""

import hashlib
from collections.abc import Collection

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.concurrency.at_once import at_once
from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.recent import Recent
from nixery.errors import ManifestUnknown, SourceUnavailable, StorageUnavailable
from nixery.images.canonical import encode
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import LATEST, Origin, Sighting, Upstream
from nixery.storage.interfaces import IStorage
from nixery.storage.records import parsed

_MOST_LOOKS = 200
"""Look-ups at once, from which on refs that were never seen are refused: each may cost a connection or a process."""

_RETRY = 15.0
"""Seconds for which an upstream that failed is not asked again: an answer may take half a minute not to come."""


class Pins:
    """See Source. A ref that moves is looked up at most every `ttl` seconds by all who share the storage.

    The record of a ref is v1/pins/<upstream>.<tag>, both hashed, as tags have letters that records' names have not.
    It is written when the content could be had. Who finds that another was faster takes what that one wrote.
    """

    _log = Logger()

    def __init__(self, upstream: Upstream, storage: IStorage, clock: IReactorTime, ttl: float) -> None:
        self._upstream = upstream
        self._storage = storage
        self._clock = clock
        self._ttl = ttl
        self._looks: Coalescer[Tag, Sighting] = Coalescer(None)
        self._seen: Recent[Tag, Sighting] = Recent()
        self._failed: Recent[Tag, tuple[float, str]] = Recent()

    async def pin(self, tag: Tag) -> PinnedSource:
        """See Source."""
        self._fail_again(tag)
        try:
            seen = self._current(tag) or await self._looked(tag)
            pinned = await self._have(tag, seen)
        except SourceUnavailable as error:
            self._failed.put(tag, (self._clock.seconds(), error.message))
            self._seen.drop(tag)  # what cannot be had is not known to last, and may be looked up anew
            raise
        self._failed.drop(tag)
        return pinned

    def current(self, tag: Tag) -> PinnedSource | None:
        """See Source."""
        seen = self._current(tag)
        return None if seen is None else at_once(self._upstream.have(seen.pin))

    async def again(self, pin: str) -> PinnedSource:
        """See Source."""
        return await self._upstream.have(pin)

    async def still(self, pinned: PinnedSource) -> bool:
        """See Source: a pin's content never changes."""
        return True

    async def renew(self, pinned: PinnedSource) -> bool:
        """See Source: nothing newer than what the refs say."""
        return False

    async def tags(self) -> Collection[str]:
        """See Source."""
        return await self._upstream.tags()

    @property
    def origin(self) -> Origin:
        """See Source."""
        return Origin(self._upstream.words, refs=True)

    def lasting(self, tag: Tag) -> bool:
        """See Source."""
        seen = self._seen.get(tag)
        return seen is None or seen.seen is not None

    async def _have(self, tag: Tag, seen: Sighting) -> PinnedSource:
        """What a ref was seen to mean: that it has gone since is not the asker's fault, who named the ref."""
        try:
            return await self._upstream.have(seen.pin)
        except ManifestUnknown as error:
            if seen.seen is None:
                raise
            raise SourceUnavailable(f"{tag.text!r} was seen at what is gone: {error.message}") from error

    async def _holds(self, seen: Sighting) -> bool:
        """Whether what a record says can be had, and not only from elsewhere."""
        try:
            await self._upstream.have(seen.pin)
        except ManifestUnknown:
            return False
        return True

    def _current(self, tag: Tag) -> Sighting | None:
        """What the tag means, where this process knows it."""
        seen = self._seen.get(tag)
        return seen if seen is not None and self._fresh(seen) else None

    def _fail_again(self, tag: Tag) -> None:
        """Raise SourceUnavailable where the upstream failed just now."""
        failed = self._failed.get(tag)
        if failed is not None and abs(self._clock.seconds() - failed[0]) < min(_RETRY, self._ttl):
            raise SourceUnavailable(failed[1])

    def _fresh(self, seen: Sighting) -> bool:
        # Other hosts' clocks may be ahead of ours.
        return seen.seen is None or abs(self._clock.seconds() - seen.seen) < self._ttl

    def _looked(self, tag: Tag) -> Deferred[Sighting]:
        if len(self._looks) >= _MOST_LOOKS and tag != LATEST and self._seen.get(tag) is None:
            raise SourceUnavailable(
                f"{_MOST_LOOKS} refs of {self._upstream.words} are being looked up: ask again later"
            )
        return self._looks.join(tag, lambda: self._look(tag))

    async def _look(self, tag: Tag) -> Sighting:
        """What all who share the storage go by from now on."""
        name = f"v1/pins/{_hashed(self._upstream.words)}.{_hashed(tag.text)}"
        data = await self._storage.read_record(name)
        old = parsed(name, data, Sighting.parse)
        if old is not None and self._fresh(old) and await self._holds(old):
            seen = old
        else:
            seen = await self._upstream.look(tag)
            await self._have(tag, seen)
            if self._ttl > 0 or old is None or old.pin != seen.pin:  # else nobody goes by its time
                seen = await self._agreed(name, data, tag, seen)
        self._seen.put(tag, seen)
        return seen

    async def _agreed(self, name: str, data: bytes | None, tag: Tag, seen: Sighting) -> Sighting:
        """What the record says in the end: what was seen, unless somebody was faster. `data`: what it said before."""
        new = encode({"source": self._upstream.words, "tag": tag.text, "pin": seen.pin, "seen": seen.seen})
        while not await self._put(name, data, new):
            data = await self._storage.read_record(name)
            other = parsed(name, data, Sighting.parse)
            if other is not None and self._fresh(other):
                return other
        return seen

    async def _put(self, name: str, old: bytes | None, new: bytes) -> bool:
        try:
            if old is None:
                return await self._storage.create_record(name, new)
            return await self._storage.swap_record(name, old, new)
        except StorageUnavailable as error:  # what is known can be served
            self._log.warn("what a ref means is not recorded: {error}", error=error)
            return True


def _hashed(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()[:32]

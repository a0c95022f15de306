"""Images by their tags: from the newest state of the package set, or else from the last good one."""

from collections.abc import Collection
from datetime import UTC, datetime

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.building.builder import Builder
from nixery.building.last_good import Good, LastGood, Policy, Wanted
from nixery.building.newest import Newest
from nixery.concurrency.coalescer import Coalescer, Hold
from nixery.concurrency.recent import Recent
from nixery.errors import (
    EvaluationFailed,
    ManifestUnknown,
    NixeryError,
    ShuttingDown,
    SourceUnavailable,
    StillBuilding,
    StillFetching,
)
from nixery.images.digest import Digest
from nixery.images.manifest import ImageRecord
from nixery.images.name import ImageName, Platform, Tag
from nixery.sources.interfaces import Source

_AT_ONCE = 0.05
"""Seconds that the newest image is waited for where an older one is at hand: more than a known image takes."""

_PATIENCE = 2.0
"""Seconds that a source which failed a while ago is waited for where an older image is at hand."""

_DOWN = 300.0
"""Seconds for which that holds: then one request waits longer, as a source that works may take its time."""

_MOST = 10_000

_NO_VERDICT = (SourceUnavailable, EvaluationFailed)
"""What says nothing about the packages that were asked for: only then is an older state served."""


@frozen
class Served:
    """An image, and what the client is to be told with it, if anything."""

    record: ImageRecord
    warning: str | None = None


@frozen
class Staleness:
    """What may be served instead of the newest state, and what a request may wait for it. Times in seconds.

    `settings`: stands for those that decide on what a name means, so that no image is served that others allowed.
    """

    policy: Policy
    hold: float
    platform: Platform
    settings: str = ""


@frozen
class _Failure:
    """Why the newest image could not be had, when that was seen, and whether it is a verdict."""

    words: str
    seen: float
    verdict: bool


class Tags:
    """Answers by tag, and by digest as the builder does."""

    _log = Logger()

    def __init__(
        self, source: Source, builder: Builder, good: LastGood, clock: IReactorTime, staleness: Staleness
    ) -> None:
        self._source = source
        self._builder = builder
        self._good = good
        self._clock = clock
        self._staleness = staleness
        self._newest = Newest(source, builder, clock, staleness.hold)
        self._renewals: Coalescer[Wanted, ImageRecord] = Coalescer(None)
        self._failed: Recent[Wanted, _Failure] = Recent(_MOST)
        self._down: Recent[tuple[str, Tag], _Failure] = Recent(_MOST)

    async def by_digest(self, digest: Digest) -> bytes:
        """See Builder."""
        return await self._builder.by_digest(digest)

    async def tags(self) -> Collection[str]:
        """The tags that can be named; raises SourceUnavailable."""
        return await self._source.tags()

    async def by_tag(self, name: ImageName, tag: Tag) -> Served:
        """The image of that name, from the newest state of what the tag means if that can be had.

        Cancelling the wait, or the end of its time, leaves builds alone.
        """
        name = evolve(name, platform=name.platform or self._staleness.platform)
        where = self._source.lasting(tag)
        end = self._newest.end()
        if where is None or self._staleness.policy is Policy.NEVER:
            image, _ = await self._newest.image(name, tag, end)
            return Served(image.record)
        wanted = Wanted(where + self._staleness.settings, tag, name)
        try:
            if self._staleness.policy is Policy.REVALIDATE:
                return await self._at_once(wanted)
            return Served(await self._first(wanted, end))
        except _NO_VERDICT as error:
            return await self._earlier(wanted, error, end)

    async def _first(self, wanted: Wanted, end: float) -> ImageRecord:
        """The newest image. A source that failed a while ago is not waited for long where an older image can be had."""
        place = wanted.where, wanted.tag
        down = self._down.get(place)
        if down is not None and abs(self._clock.seconds() - down.seen) >= _DOWN:
            down = None
        patience = _PATIENCE if down is not None and await self._good.states(wanted) else None
        try:
            record = await self._renewed(wanted, end, patience)
        except StillFetching as error:
            if down is None:
                self._down.put(place, self._failure(error))
                raise
            raise StillFetching(down.words) from error
        except SourceUnavailable as error:
            self._down.put(place, self._failure(error))
            raise
        self._down.drop(place)
        return record

    async def _renewed(self, wanted: Wanted, end: float, patience: float | None = None) -> ImageRecord:
        image, pinned = await self._newest.image(wanted.name, wanted.tag, end, patience)
        await self._good.remember(wanted, pinned.pin, image.key)
        return image.record

    async def _at_once(self, wanted: Wanted) -> Served:
        """The newest image if it is known, else an older one while the newest is made; a verdict is waited for."""
        failed = self._failed.get(wanted)
        if failed is None or not failed.verdict:
            try:
                return Served(await self._renewal(wanted, _AT_ONCE))
            except StillBuilding:
                for good in await self._good.states(wanted):
                    record = await self._stored(good)
                    if record is not None:
                        return Served(record) if failed is None else self._stale(wanted, record, failed.words, good)
        return Served(await self._renewal(wanted, self._staleness.hold))

    async def _renewal(self, wanted: Wanted, seconds: float) -> ImageRecord:
        return await self._renewals.join(wanted, lambda: self._noted(wanted), Hold(seconds, self._clock))

    async def _noted(self, wanted: Wanted) -> ImageRecord:
        try:
            record = await self._renewed(wanted, self._newest.end())
        except (StillBuilding, ShuttingDown):
            raise
        except NixeryError as error:
            self._failed.put(wanted, self._failure(error))
            raise
        self._failed.drop(wanted)
        return record

    def _failure(self, error: NixeryError) -> _Failure:
        return _Failure(error.message, self._clock.seconds(), not isinstance(error, _NO_VERDICT))

    async def _earlier(self, wanted: Wanted, error: NixeryError, end: float) -> Served:
        """The image from the last good state; raises an error of the same class that says why there is none too."""
        tried: list[str] = []
        for good in await self._good.states(wanted):
            try:
                record = await self._again(wanted.name, good, end)
            except (*_NO_VERDICT, ManifestUnknown) as other:
                tried.append(f"the state {_short(good.pin)}: {other.message}")
                continue
            return self._stale(wanted, record, error.message, good)
        earlier = "; ".join(tried) or "none was served before"
        why = error.message.rstrip(".")
        raise type(error)(f"{why}. There is no earlier state to serve instead: {earlier}") from error

    def _stale(self, wanted: Wanted, record: ImageRecord, why: str, good: Good) -> Served:
        """What is served of a state that need not be the newest, with a warning here and in the log."""
        warning = _warning(why, good)
        self._log.warn("{name}:{tag}: {warning}", name=wanted.name.text, tag=wanted.tag.text, warning=warning)
        return Served(record, warning)

    async def _again(self, name: ImageName, good: Good, end: float) -> ImageRecord:
        record = await self._stored(good)
        if record is not None:
            return record
        return (await self._newest.earlier(name, good.pin, end)).record

    async def _stored(self, good: Good) -> ImageRecord | None:
        return None if good.key is None else await self._builder.known(good.key)


def _warning(why: str, good: Good) -> str:
    current = datetime.fromtimestamp(good.at, UTC).isoformat(timespec="seconds")
    return f"the newest packages cannot be had ({why}); these are of {_short(good.pin)}, current at {current}"


def _short(pin: str) -> str:
    return pin[:12]

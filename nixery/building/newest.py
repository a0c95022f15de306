"""The image of a tag's newest state: pinned and built within the time that a request is held."""

from typing import Self

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.building.builder import BUILT, Offer, had
from nixery.building.last_good import LastGood, Wanted
from nixery.building.platforms import Platforms
from nixery.building.served import Served
from nixery.concurrency.coalescer import Hold
from nixery.concurrency.recent import Recent
from nixery.concurrency.timeline import Timeline
from nixery.errors import EvaluationFailed, NixeryError, SourceOutdated, SourceUnavailable
from nixery.images.index import Rendered
from nixery.images.name import ImageName, Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import Source

_RETRY = 15.0
"""Seconds for which a state that could not be evaluated is not evaluated again for the same image."""


NO_VERDICT = (SourceUnavailable, EvaluationFailed)
"""What says nothing about the packages that were asked for: only then is an older state served."""


@frozen
class Failure:
    """Why an image could not be had, when that was seen (seconds by the clock), and whether it is a verdict."""

    words: str
    seen: float
    verdict: bool

    @classmethod
    def of(cls, error: NixeryError, clock: IReactorTime) -> Self:
        """What an error of this moment says. Kept in its place, as an error holds on to all that was under way."""
        return cls(error.message, clock.seconds(), not isinstance(error, NO_VERDICT))


class Newest:
    """Asks the source, then has the image made, and remembers what was good. `hold`: seconds for both together."""

    _log = Logger()

    def __init__(self, source: Source, platforms: Platforms, good: LastGood, clock: IReactorTime, hold: float) -> None:
        self._source = source
        self._platforms = platforms
        self._good = good
        self._clock = clock
        self._hold = hold
        self._broken: Recent[tuple[ImageName, str], Failure] = Recent()

    def end(self) -> float:
        """Until when a request that comes now is held."""
        return self._clock.seconds() + self._hold

    async def image(
        self, name: ImageName, tag: Tag, end: float, patience: float | None = None
    ) -> tuple[Offer[Rendered], PinnedSource]:
        """The image and what it was made from; raises whatever stands against it.

        `end`: until when the request is held; `patience`: seconds that the source may take, where that is less. A set
        that names files which are gone is looked for anew, and built from once more.
        """
        pinned = await self._pin(tag, end if patience is None else min(end, self._clock.seconds() + patience))
        try:
            return await self._built(name, pinned, end), pinned
        except SourceOutdated:
            if not await self._source.renew(pinned):
                raise
        pinned = await self._pin(tag, end)
        return await self._built(name, pinned, end), pinned

    async def remembered(self, wanted: Wanted, end: float, patience: float | None = None) -> Served:
        """The image as `image` gives it; the state that it is of is the tag's last good one from now on."""
        timeline = Timeline.begin(self._clock)
        offer, pinned = await self.image(wanted.name, wanted.tag, end, patience)
        await self._good.remember(wanted, pinned.pin, offer.key)
        if BUILT in timeline:
            timeline.note("tag recorded")
            self._log.info("{name}, milliseconds: {timeline}", name=wanted.name.text, timeline=timeline)
        return Served(offer.rendered, pinned=pinned)

    async def earlier(self, name: ImageName, pin: str, end: float) -> Offer[Rendered]:
        """The image from an earlier state; raises ManifestUnknown where that is gone, and as `image` does."""
        return await self._built(name, await had(self._source.again(pin), self._left(end), self._clock), end)

    async def _pin(self, tag: Tag, end: float) -> PinnedSource:
        return await had(self._source.pin(tag), self._left(end), self._clock)

    async def _built(self, name: ImageName, pinned: PinnedSource, end: float) -> Offer[Rendered]:
        broken = self._broken.get((name, pinned.pin))
        if broken is not None and abs(self._clock.seconds() - broken.seen) < _RETRY:
            raise EvaluationFailed(broken.words)
        try:
            return await self._platforms.image(name, pinned, Hold(self._left(end), self._clock))
        except EvaluationFailed as error:
            self._broken.put((name, pinned.pin), Failure.of(error, self._clock))
            raise

    def _left(self, end: float) -> float:
        return max(0.0, end - self._clock.seconds())

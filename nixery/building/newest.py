"""The image of a tag's newest state: pinned and built within the time that a request is held."""

from attrs import frozen
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime

from nixery.building.builder import Builder, Image
from nixery.concurrency.coalescer import Hold
from nixery.concurrency.recent import Recent
from nixery.errors import EvaluationFailed, SourceOutdated, StillFetching
from nixery.images.name import ImageName, Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import Source

_RETRY = 15.0
"""Seconds for which a state that could not be evaluated is not evaluated again for the same image."""

_MOST = 10_000


@frozen
class _Broken:
    """A state that could not be evaluated, and until when that holds."""

    pin: str
    words: str
    until: float


class Newest:
    """Asks the source, then the builder. `hold`: seconds for both together."""

    def __init__(self, source: Source, builder: Builder, clock: IReactorTime, hold: float) -> None:
        self._source = source
        self._builder = builder
        self._clock = clock
        self._hold = hold
        self._broken: Recent[ImageName, _Broken] = Recent(_MOST)

    async def image(self, name: ImageName, tag: Tag, patience: float | None = None) -> tuple[Image, PinnedSource]:
        """The image and what it was made from; raises whatever stands against it.

        `patience`: seconds that the source may take, where that is less. A set that names files which are gone is
        looked for anew, and built from once more.
        """
        now = self._clock.seconds()
        end = now + self._hold
        pinned = await self._pin(tag, end if patience is None else min(end, now + patience))
        try:
            return await self._built(name, pinned, end), pinned
        except SourceOutdated:
            if not await self._source.renew(pinned):
                raise
        pinned = await self._pin(tag, end)
        return await self._built(name, pinned, end), pinned

    def broken(self, name: ImageName) -> str | None:
        """The pin from which the image could not be evaluated a moment ago."""
        broken = self._broken.get(name)
        return None if broken is None or broken.until <= self._clock.seconds() else broken.pin

    async def _pin(self, tag: Tag, end: float) -> PinnedSource:
        seconds = self._left(end)
        asked = Deferred.fromCoroutine(self._source.pin(tag)).addTimeout(seconds, self._clock)
        try:
            return await asked
        except TimeoutError:
            raise StillFetching(
                f"the package set was not there after {seconds:g} s; it goes on being fetched: pull again"
            ) from None

    async def _built(self, name: ImageName, pinned: PinnedSource, end: float) -> Image:
        if self.broken(name) == pinned.pin and (broken := self._broken.get(name)) is not None:
            raise EvaluationFailed(broken.words)
        try:
            return await self._builder.image(name, pinned, Hold(self._left(end), self._clock))
        except EvaluationFailed as error:
            self._broken.put(name, _Broken(pinned.pin, error.message, self._clock.seconds() + _RETRY))
            raise

    def _left(self, end: float) -> float:
        return max(0.0, end - self._clock.seconds())

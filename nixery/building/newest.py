"""The image of a tag's newest state: pinned and built within the time that a request is held."""

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from nixery.building.builder import Builder, Image, had
from nixery.concurrency.coalescer import Hold
from nixery.concurrency.recent import Recent
from nixery.errors import EvaluationFailed, SourceOutdated
from nixery.images.name import ImageName, Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import Source

_RETRY = 15.0
"""Seconds for which a state that could not be evaluated is not evaluated again for the same image."""

_MOST = 10_000


@frozen
class _Broken:
    """That a state could not be evaluated, and when that was seen."""

    words: str
    seen: float


class Newest:
    """Asks the source, then the builder. `hold`: seconds for both together."""

    def __init__(self, source: Source, builder: Builder, clock: IReactorTime, hold: float) -> None:
        self._source = source
        self._builder = builder
        self._clock = clock
        self._hold = hold
        self._broken: Recent[tuple[ImageName, str], _Broken] = Recent(_MOST)

    def end(self) -> float:
        """Until when a request that comes now is held."""
        return self._clock.seconds() + self._hold

    async def image(
        self, name: ImageName, tag: Tag, end: float, patience: float | None = None
    ) -> tuple[Image, PinnedSource]:
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

    async def earlier(self, name: ImageName, pin: str, end: float) -> Image:
        """The image from an earlier state; raises ManifestUnknown where that is gone, and as `image` does."""
        return await self._built(name, await had(self._source.again(pin), self._left(end), self._clock), end)

    async def _pin(self, tag: Tag, end: float) -> PinnedSource:
        return await had(self._source.pin(tag), self._left(end), self._clock)

    async def _built(self, name: ImageName, pinned: PinnedSource, end: float) -> Image:
        broken = self._broken.get((name, pinned.pin))
        if broken is not None and abs(self._clock.seconds() - broken.seen) < _RETRY:
            raise EvaluationFailed(broken.words)
        try:
            return await self._builder.image(name, pinned, Hold(self._left(end), self._clock))
        except EvaluationFailed as error:
            self._broken.put((name, pinned.pin), _Broken(error.message, self._clock.seconds()))
            raise

    def _left(self, end: float) -> float:
        return max(0.0, end - self._clock.seconds())

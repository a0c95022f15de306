"""How long the newest image is waited for: not long where its source failed, and an older one is at hand."""

from twisted.internet.interfaces import IReactorTime

from nixery.building.earlier import Earlier
from nixery.building.last_good import Wanted
from nixery.building.newest import Failure, Newest
from nixery.building.served import Served
from nixery.concurrency.recent import Recent
from nixery.errors import SourceUnavailable, StillFetching
from nixery.images.name import Tag

_PATIENCE = 2.0
"""Seconds that a source which failed a while ago is waited for."""

_DOWN = 300.0
"""Seconds for which that holds: then one request waits longer, as a source that works may take its time."""


class Patience:
    """Remembers which sources failed, by what they were asked."""

    def __init__(self, newest: Newest, earlier: Earlier, clock: IReactorTime) -> None:
        self._newest = newest
        self._earlier = earlier
        self._clock = clock
        self._down: Recent[tuple[str, Tag], Failure] = Recent()

    async def image(self, wanted: Wanted, end: float) -> Served:
        """The newest image, waited for until `end` (by the clock) at most; raises as Newest does.

        The error of a source that is not waited for says why it failed before.
        """
        place = wanted.where, wanted.tag
        down = self._down.get(place)
        if down is not None and abs(self._clock.seconds() - down.seen) >= _DOWN:
            down = None
        patience = _PATIENCE if down is not None and await self._earlier.any(wanted) else None
        try:
            served = await self._newest.remembered(wanted, end, patience)
        except StillFetching as error:
            if down is not None:
                raise StillFetching(down.words) from error
            self._down.put(place, Failure.of(error, self._clock))
            raise
        except SourceUnavailable as error:
            self._down.put(place, Failure.of(error, self._clock))
            raise
        self._down.drop(place)
        return served

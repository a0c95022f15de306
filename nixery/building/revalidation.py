"""The last good image at once, while the newest one is made for whoever asks next (NIXERY_STALE=revalidate)."""

from twisted.internet.interfaces import IReactorTime

from nixery.building.earlier import Earlier
from nixery.building.last_good import Wanted
from nixery.building.newest import Failure, Newest
from nixery.building.served import Served
from nixery.concurrency.coalescer import Coalescer, Hold
from nixery.concurrency.recent import Recent
from nixery.errors import NixeryError, ShuttingDown, StillBuilding

_AT_ONCE = 0.05
"""Seconds that the newest image is waited for where an older one is at hand: more than a known image takes."""


class Revalidation:
    """Makes newest images in the background. `hold`: seconds that a request waits where nothing older is stored."""

    def __init__(self, newest: Newest, earlier: Earlier, clock: IReactorTime, hold: float) -> None:
        self._newest = newest
        self._earlier = earlier
        self._clock = clock
        self._hold = hold
        self._renewals: Coalescer[Wanted, Served] = Coalescer(None)
        self._failed: Recent[Wanted, Failure] = Recent()

    async def image(self, wanted: Wanted) -> Served:
        """The newest image if it is known, else an older one; raises as Newest does.

        What the making of the newest came to is told to the next who asks: a verdict is waited for, and of all else
        the image comes with a warning.
        """
        failed = self._failed.get(wanted)
        if failed is None or not failed.verdict:
            try:
                return await self._renewal(wanted, _AT_ONCE)
            except StillBuilding:
                served = await self._earlier.stored(wanted, None if failed is None else failed.words)
                if served is not None:
                    return served
        return await self._renewal(wanted, self._hold)

    async def _renewal(self, wanted: Wanted, seconds: float) -> Served:
        return await self._renewals.join(wanted, lambda: self._noted(wanted), Hold(seconds, self._clock))

    async def _noted(self, wanted: Wanted) -> Served:
        try:
            served = await self._newest.remembered(wanted, self._newest.end())
        except (StillBuilding, ShuttingDown):
            raise
        except NixeryError as error:
            self._failed.put(wanted, Failure.of(error, self._clock))
            raise
        self._failed.drop(wanted)
        return served

"""The popularity that images are layered by, renewed while the daemon runs."""

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from nixery.errors import SourceUnavailable
from nixery.fetching.popularity import Known, Place
from nixery.images.popularity import Popularity

_FIRST_RETRY = 60.0


class Ranking(Service):
    """Holds the newest popularity that could be had.

    `seconds`: after which its place is looked at again; sooner after a failure: in a minute, then in twice that time.
    """

    _log = Logger(namespace="nixery.fetching.ranking")

    def __init__(self, place: Place, clock: IReactorTime, seconds: float) -> None:
        """Take what is at hand; raises OSError and ValueError where that is a wrong setting."""
        self._place = place
        self._clock = clock
        self._seconds = seconds
        self._retry = _FIRST_RETRY
        self._known: Known | None = place.at_hand()
        self._renewing: Deferred[None] = succeed(None)

    def current(self) -> Popularity | None:
        """The popularity of this moment; None when none was ever had."""
        return self._known.popularity if self._known else None

    def startService(self) -> None:
        """Begin to look for newer ones, in the background."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._renewing = Deferred.fromCoroutine(self._renew())
        self._renewing.addErrback(self._ended)

    def stopService(self) -> Deferred[None]:
        """Look no more; fires when nothing is under way."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._renewing.cancel()
        return self._renewing

    async def _renew(self) -> None:
        while self.running:
            pause = await self._look()
            if self.running:
                await deferLater(self._clock, pause)

    async def _look(self) -> float:
        """Look once; the seconds until it should be done again."""
        try:
            newest = await self._place.newest(self._known)
        except (SourceUnavailable, OSError, ValueError) as error:
            return self._failed(error)
        if newest.popularity.hash != (self._known.popularity.hash if self._known else None):
            self._log.info(
                "the popularity of {n} names is that of {place}",
                n=len(newest.popularity.counts),
                place=self._place.words,
            )
        self._known = newest
        self._retry = _FIRST_RETRY
        return self._seconds

    def _ended(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("the popularity is renewed no more", failure)

    def _failed(self, error: Exception) -> float:
        used = "the last one that was had" if self._known else "what is counted from each image"
        self._log.warn(
            "the popularity of {place} cannot be renewed: {error}; {used} is used",
            place=self._place.words,
            error=error,
            used=used,
        )
        pause = min(self._retry, self._seconds)
        self._retry *= 2
        return pause

"""The body of an answer, of any size: handed on piece by piece, with bounds on silence."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.error import TimeoutError
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

Take = Callable[[bytes], bool]
"""Takes a piece; says whether it wants more."""


async def hand_on(response: IResponse, take: Take, clock: IReactorTime, seconds: float) -> None:
    """Give the whole body to `take`; closes the connection when it wants no more.

    Raises TimeoutError when nothing comes for that many seconds, and what twisted.web says of an end in the middle.
    """
    pieces = _Pieces(take, clock, seconds)
    response.deliverBody(pieces)
    await pieces.whole


class _Pieces(Protocol):
    """Works on each piece where it comes in: the server is held up meanwhile, and nothing piles up here."""

    def __init__(self, take: Take, clock: IReactorTime, seconds: float) -> None:
        self.whole: Deferred[None] = Deferred(lambda _: self._close())
        self._take = take
        self._seconds = seconds
        self._silence = clock.callLater(seconds, self._silent)
        self.whole.addBoth(self._quiet)

    def dataReceived(self, data: bytes) -> None:
        """Hand on a piece."""
        if self.whole.called:
            return
        self._silence.reset(self._seconds)
        if not self._take(data):
            self.whole.callback(None)
            self._close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The body has ended; one without a length does so with its connection, whole or not."""
        if self.whole.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(None)
        else:
            self.whole.errback(reason)

    def _silent(self) -> None:
        self.whole.errback(TimeoutError())
        self._close()

    def _quiet(self, result: object) -> object:
        if self._silence.active():
            self._silence.cancel()
        return result

    def _close(self) -> None:
        if self.transport is not None:
            IPushProducer(self.transport).stopProducing()

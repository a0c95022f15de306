"""The body of an HTTP answer: taken as it comes, up to a size, its connection closed when nobody wants the rest."""

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

from nixery.errors import SourceUnavailable


async def read(response: IResponse, most: int, shown: str) -> bytes:
    """The whole body; raises SourceUnavailable when it has more than `most` bytes. `shown`: where it comes from."""
    # twisted.web has a word instead of a number for a length that is not known.
    if isinstance(response.length, int) and response.length > most:
        discard(response)
        raise _too_big(most, shown)
    body = _Body(most, shown)
    response.deliverBody(body)
    return await body.whole


def discard(response: IResponse) -> None:
    """Close the connection, whatever is still to come on it."""
    body = _Body(0, "")
    body.whole.addErrback(lambda _: None)
    response.deliverBody(body)
    body.whole.cancel()


def _too_big(most: int, shown: str) -> SourceUnavailable:
    return SourceUnavailable(f"{shown} has more than the {most} bytes that it may have")


class _Body(Protocol):
    """Collects the body. Cancelling `whole` closes the connection."""

    def __init__(self, most: int, shown: str) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self._close())
        self._most = most
        self._shown = shown
        self._data = bytearray()

    def dataReceived(self, data: bytes) -> None:
        """Keep some bytes, or give up."""
        if self.whole.called:
            return
        if len(self._data) + len(data) > self._most:
            self.whole.errback(_too_big(self._most, self._shown))
            self._close()
            return
        self._data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The body has ended; one without a length does so with its connection, whole or not."""
        if self.whole.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(bytes(self._data))
        else:
            self.whole.errback(reason)

    def _close(self) -> None:
        # Not loseConnection: over TLS that waits for the other side's word.
        if self.transport is not None:
            IPushProducer(self.transport).stopProducing()

"""Content-Encoding (RFC 9110, section 8.4), unpacked a piece at a time.

treq's own unpacking has no bounds: of gzip within gzip, a few hundred bytes become gigabytes. What is broken it takes
for whole.
"""

import zlib

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import GzipDecoder, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from nixery.errors import SourceUnavailable
from nixery.fetching.address import shown
from nixery.fetching.body import discard

_HEADER = b"content-encoding"
_PIECE = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


@implementer(IAgent)
class Unpacking:
    """Answers of another agent, unpacked, and without the header for that.

    Fails with SourceUnavailable for an encoding that is not gzip; so does the body when it is broken.
    """

    def __init__(self, agent: IAgent) -> None:
        self._agent = agent

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """See IAgent."""
        answered = self._agent.request(method, uri, headers, bodyProducer)
        return answered.addCallback(_unpacked, shown(uri.decode()))


def _unpacked(response: IResponse, shown: str) -> IResponse:
    encodings = b",".join(response.headers.getRawHeaders(_HEADER, [])).lower()
    response.headers.removeHeader(_HEADER)
    if encodings in (b"", b"identity"):
        return response
    if encodings not in (b"gzip", b"x-gzip"):
        discard(response)
        told = encodings.decode("ascii", errors="replace")[:100]
        raise SourceUnavailable(f"{shown} is answered in the encoding {told!r}, which was not asked for")
    return _Gzip(response, shown)


class _Gzip(GzipDecoder):
    """An answer whose body is gzip."""

    def __init__(self, response: IResponse, shown: str) -> None:
        super().__init__(response)  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._shown = shown

    def deliverBody(self, protocol: IProtocol) -> None:
        """See IResponse."""
        self.original.deliverBody(_Unpacker(protocol, self._shown))


class _Unpacker(Protocol):
    """Hands on what gzip (RFC 1952) packs, one member or several after another."""

    def __init__(self, body: IProtocol, shown: str) -> None:
        self._body = body
        self._shown = shown
        self._member = zlib.decompressobj(_GZIP)
        self._begun = self._broken = False

    def connectionMade(self) -> None:
        """Begin."""
        assert self.transport is not None
        self._body.makeConnection(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """Unpack and hand on; what is no gzip ends it."""
        self._begun = True
        try:
            while data and not self._broken:
                data = self._take(data)
        except zlib.error:
            self._broken = True
            self._fail("is no gzip, though it is said to be")
            IPushProducer(self.transport).stopProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand on, unless the end is missing."""
        if self._broken:
            return
        if self._begun and not self._member.eof and reason.check(ResponseDone, PotentialDataLoss):
            self._fail("ends in the middle")
        else:
            self._body.connectionLost(reason)

    def _take(self, data: bytes) -> bytes:
        """Hand on some; gives what is left for later."""
        if self._member.eof:
            self._member = zlib.decompressobj(_GZIP)
        # At a member's end zlib leaves the rest in unconsumed_tail too, where output was cut short before.
        while not self._member.eof and (piece := self._member.decompress(data, _PIECE)):
            self._body.dataReceived(piece)
            data = self._member.unconsumed_tail
        return self._member.unused_data

    def _fail(self, words: str) -> None:
        self._body.connectionLost(Failure(SourceUnavailable(f"{self._shown} {words}")))

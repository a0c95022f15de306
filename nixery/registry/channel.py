"""A connection that speaks plain HTTP/1: bounded in time and memory, and with an answer also to what is not HTTP."""

from twisted.internet.interfaces import ITransport
from twisted.web.http import HTTPChannel, Request, datetimeToString
from twisted.web.http_headers import Headers

from nixery import __version__
from nixery.errors import RequestInvalid
from nixery.registry.answers import JSON
from nixery.registry.refusals import body

_TLS_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection (RFC 8446, 5.1); no request of HTTP/1 begins with it."""

_REFUSAL = b"HTTP/1.0 400 Bad Request\r\nContent-Length: 38\r\n\r\nThis port speaks HTTP, and not HTTPS.\n"


class Channel(HTTPChannel):
    """See twisted.web.http.HTTPChannel.

    Clients that may use a registry without TLS try it with TLS first, and wait ten seconds for an answer to it.
    """

    transport: ITransport
    _begun = False

    def dataReceived(self, data: bytes) -> None:
        """See twisted.internet.interfaces.IProtocol."""
        if not self._begun and data.startswith(_TLS_HANDSHAKE):
            self.transport.write(_REFUSAL)
            self.transport.loseConnection()
            return
        self._begun = True
        super().dataReceived(data)  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def resetTimeout(self) -> None:
        """Have a request whole in the time that a connection may idle: a byte now and then buys no more."""

    def requestDone(self, request: Request) -> None:
        """Bound also the time in which a client takes the end of the last answer."""
        super().requestDone(request)  # type: ignore[no-untyped-call]  # Twisted has not typed it
        if not self.persistent:
            self.setTimeout(self.factory.timeOut)  # type: ignore[no-untyped-call]  # nor this

    def timeoutConnection(self) -> None:
        """See twisted.protocols.policies.TimeoutMixin. A client to which all was said is cut off at once."""
        if self.persistent:
            super().timeoutConnection()  # type: ignore[no-untyped-call]  # nor this
        else:
            self.forceAbortClient()  # type: ignore[no-untyped-call]  # nor this

    @property
    def paused(self) -> bool:  # type: ignore[override]  # a variable of Twisted's, which nothing sets here
        """Begin no further request while the client does not take the answers to those before it."""
        return bool(self._waitingForTransport and not self._handlingRequest)

    def resumeProducing(self) -> None:
        """Go on with the requests that have come meanwhile."""
        super().resumeProducing()  # type: ignore[no-untyped-call]  # nor this
        super().dataReceived(b"")  # type: ignore[no-untyped-call]  # nor this

    def rawDataReceived(self, data: bytes) -> None:
        """Bound what comes while a request is answered, also where the client takes nothing of that answer."""
        super().rawDataReceived(data)
        if sum(map(len, self._dataBuffer)) > self._optimisticEagerReadSize:
            self._networkProducer.pauseProducing()

    def headerReceived(self, line: bytes) -> bool:
        """Refuse also a Content-Length of more digits than Python reads."""
        try:
            return bool(super().headerReceived(line))  # type: ignore[no-untyped-call]  # nor this
        except ValueError:
            self._respondToBadRequestAndDisconnect()
            return False

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        """Close where `close` is any of the options of Connection (RFC 9112, 9.6): Twisted looks at words alone."""
        options = b",".join(request.requestHeaders.getRawHeaders(b"Connection", [])).lower().split(b",")
        if b"close" in [option.strip() for option in options]:
            request.requestHeaders.setRawHeaders(b"Connection", [b"close"])
        return bool(super().checkPersistence(request, version))  # type: ignore[no-untyped-call]  # nor this

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Write the head in one piece: Twisted hands the transport some fifty, and each costs time."""
        fields = [b"%b: %b\r\n" % (name, value) for name, values in headers.getAllRawHeaders() for value in values]
        self.transport.write(b"%b %b %b\r\n%b\r\n" % (version, code, reason, b"".join(fields)))

    def lineLengthExceeded(self, line: bytes) -> None:
        """Answer also a client whose line is too long."""
        self._respondToBadRequestAndDisconnect()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Say what is wrong, where Twisted, whose name this is, would send a status line alone."""
        self.persistent = 0
        self.transport.write(_malformed())
        self.loseConnection()  # type: ignore[no-untyped-call]  # Twisted has not typed it


def _malformed() -> bytes:
    content = body(RequestInvalid("this is not a request of HTTP/1.1 (RFC 9112), or its head is over 16 KiB"))
    headers = {
        "Server": f"nixery/{__version__}",
        "Date": datetimeToString().decode(),
        "Docker-Distribution-Api-Version": "registry/2.0",
        "Content-Type": JSON,
        "Content-Length": str(len(content)),
        "Connection": "close",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 400 Bad Request\r\n{lines}\r\n".encode() + content

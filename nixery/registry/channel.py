"""A connection that speaks plain HTTP/1, and says so at once to a client that begins with TLS."""

from twisted.web.http import HTTPChannel

_TLS_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection (RFC 8446, 5.1); no request of HTTP/1 begins with it."""

_REFUSAL = b"HTTP/1.0 400 Bad Request\r\nContent-Length: 38\r\n\r\nThis port speaks HTTP, and not HTTPS.\n"


class Channel(HTTPChannel):
    """See twisted.web.http.HTTPChannel.

    Clients that may use a registry without TLS try it with TLS first, and wait ten seconds for an answer to it.
    """

    _begun = False

    def dataReceived(self, data: bytes) -> None:
        """See twisted.internet.interfaces.IProtocol."""
        if not self._begun and data.startswith(_TLS_HANDSHAKE):
            assert self.transport is not None
            self.transport.write(_REFUSAL)
            self.transport.loseConnection()
            return
        self._begun = True
        super().dataReceived(data)  # type: ignore[no-untyped-call]  # Twisted has not typed it

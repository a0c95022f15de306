"""One request as this registry's site sees it."""

import io
import re

from twisted.python.failure import Failure
from twisted.web import server

_ORIGIN = re.compile(rb"https?://(?:[^/?#@]*@)?([^/?#]*)", re.IGNORECASE)


class Request(server.Request):
    """Knows when it began, and is logged also when the client left before the end."""

    began = 0.0
    """The site's clock when the request was received, in seconds."""

    lost = False
    """Whether the connection ended before the answer did."""

    def gotLength(self, length: int | None) -> None:
        """Drop the body: nothing here takes one, and an upload is not worth memory before it is refused."""
        self.content = _Nowhere()

    def process(self) -> None:
        """See twisted.web.server.Request. A target in absolute form is its path and its Host (RFC 9112, 3.2.2)."""
        if found := _ORIGIN.match(self.path):
            self._take_host(found[1])
            self.path = self.path[found.end() :] or b"/"
            self.uri = self.uri[found.end() :]
        self.began = self.channel.factory.reactor.seconds()
        self.channel.factory.opened(self)
        super().process()  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def _take_host(self, host: bytes) -> None:
        """Put it in place of the one Host header; none or two of them are still a fault."""
        if len(self.requestHeaders.getRawHeaders(b"Host", [])) == 1:
            self.requestHeaders.setRawHeaders(b"Host", [host])

    def getRequestHostname(self) -> bytes:
        """A constant: Klein alone asks, and werkzeug fails on hosts with long labels or other than UTF-8."""
        return b"localhost"

    def connectionLost(self, reason: Failure) -> None:
        """See twisted.web.http.Request."""
        self.lost = True
        if self.site is not None:
            self.site.log(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]  # Twisted has not typed it


class _Nowhere(io.BytesIO):
    """A file that keeps nothing."""

    def write(self, data: object, /) -> int:
        """Forget the data."""
        return 0

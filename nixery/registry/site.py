"""The site: HTTP/1.1 for the registry and the pages, with an access log of one line a request."""

from collections.abc import Collection

from twisted.application.service import Service
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http, server
from twisted.web.resource import IResource

from nixery.registry import headers
from nixery.registry.channel import Channel
from nixery.registry.cors import Cors
from nixery.registry.forwarded import Network, client
from nixery.registry.request import Request
from nixery.registry.root import Root

IDLE = 60.0
"""Seconds after which a connection without a whole request, or with an answer that is not taken, is dropped."""

_access = Logger(namespace="nixery.registry.access")
_LINE = "{client} {method} {path} {status} {bytes} bytes {seconds:.3f} s{end}"


class Site(server.Site):
    """Twisted's site with our requests and our access log."""

    protocol = Channel  # type: ignore[assignment]  # Twisted promises one that may turn into HTTP/2
    requestFactory = Request
    displayTracebacks = False

    def startFactory(self) -> None:
        """Open nothing: Twisted's own access log, and the clock that ticks for it, are not used."""

    def stopFactory(self) -> None:
        """See startFactory."""

    def acceptableProtocols(self) -> list[bytes]:
        """HTTP/1.1 alone, also where HTTP/2 could be had under TLS."""
        return [b"http/1.1"]

    def __init__(self, root: IResource, clock: IReactorTime, proxies: Collection[Network]) -> None:
        super().__init__(root, timeout=IDLE, reactor=clock)  # type: ignore[no-untyped-call]  # not typed
        self._proxies = proxies
        self._open: set[Request] = set()
        self._idle: list[Deferred[None]] = []

    def opened(self, request: Request) -> None:
        """Count a request that has been received."""
        self._open.add(request)

    def idle(self) -> Deferred[None]:
        """Fires when no request is under way."""
        waiter: Deferred[None] = Deferred()
        self._idle.append(waiter)
        self._tell_when_idle()
        return waiter

    def cut(self) -> None:
        """Abort the connections of all requests that are under way."""
        for request in tuple(self._open):
            request.transport.abortConnection()  # type: ignore[union-attr]  # see streaming

    def log(self, request: http.Request) -> None:
        """Write the line for a request that ended."""
        assert isinstance(request, Request)  # as made by requestFactory
        self._open.discard(request)
        self._tell_when_idle()
        said = {
            "client": self._client(request),
            "method": _text(request.method),
            "path": _text(request.path),
            "status": request.code if request.startedWriting else "-",
            "bytes": request.sentLength,
            "seconds": self.reactor.seconds() - request.began,
            "end": " (client left)" if request.lost else "",
        }
        # Formatted here: Twisted formats a line the slower, the more fields it names.
        _access.info("{line}", line=_LINE.format_map(said), **said)

    def _client(self, request: Request) -> str:
        peer = getattr(request.client, "host", None)  # a UNIX socket's has none
        return client(peer, headers.values(request, "X-Forwarded-For"), self._proxies)

    def _tell_when_idle(self) -> None:
        if not self._open:
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                waiter.callback(None)


class Drain(Service):
    """Lets the requests under way end before what they need is stopped, for at most `seconds`."""

    def __init__(self, site: Site, clock: IReactorTime, seconds: float = 10.0) -> None:
        self._site = site
        self._clock = clock
        self._seconds = seconds

    def stopService(self) -> Deferred[None]:
        """Fires when no request is under way, or time is up, and the rest is cut off."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        idle = self._site.idle()
        return idle.addTimeout(self._seconds, self._clock).addErrback(self._cut)

    def _cut(self, failure: Failure) -> None:
        failure.trap(TimeoutError)
        self._site.cut()  # else threads would send them what they were handed before: more than a slow disk soon reads


def make_site(
    registry: IResource,
    pages: IResource,
    clock: IReactorTime,
    origins: Collection[str] = (),
    proxies: Collection[Network] = (),
) -> Site:
    """A factory of server protocols: `registry` answers below /v2, `pages` elsewhere.

    `origins`: see Cors; `proxies`: whose X-Forwarded-For is believed.
    """
    return Site(Root(registry, pages, Cors(origins)), clock, proxies)


def _text(raw: bytes) -> str:
    """A request's own bytes for a log: one line of ASCII, without what could steer a terminal."""
    return raw[:1000].decode("latin-1").encode("unicode_escape").decode("ascii")

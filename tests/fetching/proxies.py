"""An HTTP proxy on loopback, that keeps what it is asked; and clients that use it."""

import re

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import Certificate, CertificateOptions, trustRootFromCertificates
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.web.client import BrowserLikePolicyForHTTPS

from nixery.fetching.proxy import Proxies
from nixery.fetching.web import Page, Web
from tests.fetching.servers import Saying, issued

_ASKED = re.compile(rb"(?:CONNECT |GET http://)[^ /]*?:(\d+)")


class ProxyServer(Factory):
    """Leads to loopback whatever host it is asked for. `before`: said before a tunnel is open."""

    def __init__(self, before: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> None:
        self.heads: list[str] = []
        self.connections: list[_Side] = []
        self.before = before

    def buildProtocol(self, addr: object) -> "_Side":
        self.connections.append(_Asked(self))
        return self.connections[-1]


class _Side(Protocol):
    """One of two connections: what comes goes to the other, and they end together."""

    def __init__(self, other: "_Side | None" = None) -> None:
        self.gone: Deferred[None] = Deferred()
        self.other = other

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def end(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        assert self.other is not None
        self.other.send(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone.callback(None)
        if self.other is not None:
            self.other.end()


class _Asked(_Side):
    """The side of the client."""

    def __init__(self, server: ProxyServer) -> None:
        super().__init__()
        self._server = server
        self._head = b""

    def dataReceived(self, data: bytes) -> None:
        if self.other is not None:
            self.other.send(data)
            return
        self._head += data
        if b"\r\n\r\n" in self._head:
            self._server.heads.append(self._head.decode())
            Deferred.fromCoroutine(self._lead())

    async def _lead(self) -> None:
        match = _ASKED.match(self._head)
        assert match is not None
        target = TCP4ClientEndpoint(reactor, "127.0.0.1", int(match[1]))
        self.other = await connectProtocol(target, _Side(self))
        self._server.connections.append(self.other)
        if self._head.startswith(b"CONNECT"):
            self.send(self._server.before)
        else:
            self.other.send(re.sub(rb"^GET http://[^/]*", b"GET ", self._head))


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwords"
OPTIONS, TRUSTED = issued("target.example")
LOGIN = "Basic bWU6c2VjcmV0"  # me:secret


def web(proxy: str, no_proxy: str = "", seconds: float = 30.0, *trusted: Certificate) -> Web:
    policy = BrowserLikePolicyForHTTPS(trustRootFromCertificates([TRUSTED, *trusted]))
    environment = {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": no_proxy}
    return Web(reactor, seconds, Proxies.parse(environment), policy=policy)  # type: ignore[arg-type]  # a module


def got(url: str, proxy: str, no_proxy: str = "", seconds: float = 30.0) -> Deferred[Page]:
    return Deferred.fromCoroutine(web(proxy, no_proxy, seconds).get(url, 1000))


def over_tls(server: IProtocolFactory, options: CertificateOptions = OPTIONS) -> TLSMemoryBIOFactory:
    return TLSMemoryBIOFactory(options, False, server)


def named(host: str) -> str:
    """A server by a name that only the proxy finds."""
    return f"target.example:{host.rpartition(':')[2]}"


async def all_gone(server: ProxyServer | Saying) -> None:
    for connection in server.connections:
        await connection.gone

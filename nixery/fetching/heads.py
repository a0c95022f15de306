"""Connections whose answers have bounded headers: twisted.web collects lines as long as a server sends any."""

import re
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import HTTPConnectionPool
from zope.interface import implementer

if TYPE_CHECKING:
    from twisted.web._newclient import HTTP11ClientProtocol

_MOST = 1 << 16  # bytes of an answer's headers
_END = re.compile(rb"\n\r?\n")
_INTERIM = re.compile(rb"HTTP/1\.\d 1\d\d")  # RFC 9110, section 15.2: another answer follows


class EndlessHeaders(Exception):
    """An answer's headers are longer than they may be."""


class Pool(HTTPConnectionPool):
    """twisted.web's, with connections that are closed when headers do not end."""

    def __init__(self, reactor: IReactorTime, persistent: bool = True) -> None:
        super().__init__(reactor, persistent)  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def closeCachedConnections(self) -> Deferred[None]:
        """See HTTPConnectionPool."""
        closed: Deferred[None] = super().closeCachedConnections()  # type: ignore[no-untyped-call]
        return closed

    def getConnection(self, key: object, endpoint: IStreamClientEndpoint) -> "Deferred[HTTP11ClientProtocol]":
        """See HTTPConnectionPool."""
        return super().getConnection(key, _Endpoint(endpoint))


@implementer(IStreamClientEndpoint)
class _Endpoint:
    """Another endpoint, with an eye on what comes from there."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """See IStreamClientEndpoint."""
        factory = _Heads.factory(protocolFactory)
        return self._endpoint.connect(factory).addCallback(_wrapped)


def _wrapped(heads: IProtocol) -> IProtocol:
    assert isinstance(heads, _Heads)
    protocol: IProtocol = heads.wrappedProtocol
    return protocol


class _Heads(ProtocolWrapper):
    """Counts, from each request until the headers of its answer end."""

    _head: bytearray | None = None

    @classmethod
    def factory(cls, wrapped: IProtocolFactory) -> WrappingFactory:
        """Makes one around each protocol of another factory."""
        factory = WrappingFactory(wrapped)
        factory.noisy = False
        factory.protocol = cls
        return factory

    def writeSequence(self, data: list[bytes]) -> None:
        """Send a request, as twisted.web does it in one call."""
        self._head = bytearray()
        super().writeSequence(data)  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        """Hand on, unless it is too much."""
        if self._head is None or self._bounded(self._head, data):
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        else:
            ITCPTransport(self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand on, with the true reason."""
        too_long = self._head is not None and len(self._head) > _MOST
        told = Failure(EndlessHeaders(f"of more than {_MOST} bytes")) if too_long else reason
        super().connectionLost(told)  # type: ignore[no-untyped-call]

    def _bounded(self, head: bytearray, data: bytes) -> bool:
        seen = max(0, len(head) - 2)
        head += data
        while end := _END.search(head, seen):
            if not _INTERIM.match(head):
                self._head = None
                return True
            del head[: end.end()]
            seen = 0
        return len(head) <= _MOST

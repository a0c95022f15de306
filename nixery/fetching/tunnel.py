"""A way through an HTTP proxy to one host and port, by CONNECT (RFC 9110, section 9.3.6)."""

import re

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IStreamClientEndpoint, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from nixery import __version__
from nixery.errors import SourceUnavailable
from nixery.fetching.failure import given_up, why
from nixery.fetching.proxy import Proxy, authority

_MOST = 1 << 14  # bytes of all the headers of the proxy's answer
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?![0-9])")


@implementer(IStreamClientEndpoint)
class ToProxy:
    """An endpoint at a proxy. Failures to reach it name it: SourceUnavailable."""

    def __init__(self, endpoint: IStreamClientEndpoint, proxy: Proxy) -> None:
        self._endpoint = endpoint
        self._proxy = proxy

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect to the proxy."""
        return self._endpoint.connect(protocolFactory).addErrback(self._failed)

    def _failed(self, failure: Failure) -> Failure:
        assert failure.value is not None
        if given_up(failure.value):
            return failure
        return Failure(SourceUnavailable(f"the proxy {self._proxy.shown} cannot be reached: {why(failure.value)}"))


@implementer(IStreamClientEndpoint)
class Tunnel:
    """An endpoint at a host and port, through a proxy. Failures name both: SourceUnavailable.

    Waits for the proxy until it is cancelled, which closes the connection.
    """

    def __init__(self, to_proxy: ToProxy, proxy: Proxy, host: str, port: int) -> None:
        self._to_proxy = to_proxy
        self._proxy = proxy
        self._host = host
        self._port = port

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect to the host."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        asking = await self._to_proxy.connect(_Asked(self._proxy, authority(self._host, self._port)))
        assert isinstance(asking, _Asking)
        return await asking.through(factory)


class _Asked(Factory):
    noisy = False

    def __init__(self, proxy: Proxy, target: str) -> None:
        self._proxy = proxy
        self._target = target

    def buildProtocol(self, addr: IAddress | None) -> "_Asking":
        return _Asking(self._proxy, self._target)


class _Asking(Protocol):
    """Asks the proxy; then hands everything on to the protocol that wanted the way."""

    def __init__(self, proxy: Proxy, target: str) -> None:
        self._proxy = proxy
        self._target = target
        self._opened: Deferred[None] = Deferred(lambda _: self._abort())
        self._data = b""
        self._user: IProtocol | None = None

    async def through(self, factory: IProtocolFactory) -> IProtocol:
        """What the factory makes, connected to the host."""
        await self._opened
        assert self.transport is not None
        user = self._user = factory.buildProtocol(self.transport.getPeer())
        assert user is not None
        user.makeConnection(self.transport)
        if self._data:
            user.dataReceived(self._data)
        return user

    def connectionMade(self) -> None:
        """Ask."""
        headers = {"Host": self._target, "User-Agent": f"nixery/{__version__}"}
        if self._proxy.authorization is not None:
            headers["Proxy-Authorization"] = self._proxy.authorization
        lines = [f"CONNECT {self._target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        assert self.transport is not None
        self.transport.write("\r\n".join([*lines, "", ""]).encode())

    def dataReceived(self, data: bytes) -> None:
        """Hand on; before, read the answer."""
        if self._user is not None:
            self._user.dataReceived(data)
        elif not self._opened.called:
            self._data += data
            self._read()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand on; before, there will be no way."""
        if self._user is not None:
            self._user.connectionLost(reason)
        elif not self._opened.called:
            assert reason.value is not None
            self._refuse(f"fails: {why(reason.value)}")

    def _read(self) -> None:
        """Look for the answer in the data. Those of 1xx come before the one that counts."""
        begin = 0
        while end := _END.search(self._data, begin, _MOST):
            match = _STATUS.match(self._data, begin)
            if match is None:
                break
            begin = end.end()
            if (status := int(match[1])) >= 200:
                self._data = self._data[begin:]
                self._answered(status)
                return
        if end or not _may_begin(self._data):
            self._refuse("does not answer as an HTTP proxy")
        elif len(self._data) >= _MOST:
            self._refuse(f"answers with headers of more than {_MOST} bytes")

    def _answered(self, status: int) -> None:
        if status < 300:
            self._opened.callback(None)
        else:
            self._refuse(refused(self._proxy, status))

    def _refuse(self, words: str) -> None:
        self._opened.errback(
            SourceUnavailable(f"{self._target} cannot be reached: the proxy {self._proxy.shown} {words}")
        )
        self._abort()

    def _abort(self) -> None:
        if self.transport is not None:
            ITCPTransport(self.transport).abortConnection()


def refused(proxy: Proxy, status: int) -> str:
    """What a proxy's refusal means."""
    if status != 407:
        return f"answers with status {status}"
    if proxy.authorization is None:
        return f"answers with status {status}: set user and password in {proxy.variable}"
    return f"answers with status {status}: it does not take the user and password in {proxy.variable}"


def _may_begin(data: bytes) -> bool:
    return data[:5] == b"HTTP/"[: len(data)]

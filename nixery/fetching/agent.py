"""Requests over HTTP: straight to the host, or by the proxy that leads to it."""

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IReactorPluggableNameResolver, IReactorTCP, IReactorTime, IStreamClientEndpoint
from twisted.web.client import URI, Agent, HTTPConnectionPool, ProxyAgent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IPolicyForHTTPS, IResponse
from zope.interface import implementer

from nixery.errors import SourceUnavailable
from nixery.fetching.body import discard
from nixery.fetching.proxy import Proxies, Proxy
from nixery.fetching.tunnel import ToProxy, Tunnel, refused


class IReactorWeb(IReactorTCP, IReactorTime, IReactorPluggableNameResolver):
    """What is needed of a reactor."""


@frozen
class Connections:
    """How connections are made.

    `seconds`: most time that making one may take; `pool`: that keeps them for the next request, None to close them;
    `policy`: of TLS, with hosts and with proxies.
    """

    reactor: IReactorWeb
    seconds: float
    pool: HTTPConnectionPool | None
    policy: IPolicyForHTTPS

    def straight(self) -> IAgent:
        """Requests without a proxy."""
        return Agent(self.reactor, self.policy, connectTimeout=self.seconds, pool=self.pool)

    def tunnelled(self, proxy: Proxy) -> IAgent:
        """Requests through tunnels that a proxy makes, each to one host."""
        agent: IAgent = Agent.usingEndpointFactory(self.reactor, _Tunnels(self, proxy), self.pool)
        return agent

    def forwarded(self, proxy: Proxy) -> IAgent:
        """Requests that a proxy reads and makes in our stead."""
        return ProxyAgent(self.to_proxy(proxy), self.reactor, self.pool)

    def to_proxy(self, proxy: Proxy) -> ToProxy:
        """The way to a proxy."""
        endpoint: IStreamClientEndpoint = HostnameEndpoint(self.reactor, proxy.host, proxy.port, self.seconds)
        if proxy.scheme == "https":
            endpoint = wrapClientTLS(self.policy.creatorForNetloc(proxy.host.encode("idna"), proxy.port), endpoint)
        return ToProxy(endpoint, proxy)


@implementer(IAgentEndpointFactory)
class _Tunnels:
    """TLS to each host, whose name is verified, inside a tunnel through one proxy."""

    def __init__(self, connections: Connections, proxy: Proxy) -> None:
        self._connections = connections
        self._proxy = proxy

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """The way to the host of an https URL."""
        to_proxy = self._connections.to_proxy(self._proxy)
        tunnel = Tunnel(to_proxy, self._proxy, uri.host.decode("ascii"), uri.port)
        return wrapClientTLS(self._connections.policy.creatorForNetloc(uri.host, uri.port), tunnel)


@implementer(IAgent)
class ProxiedAgent:
    """Chooses the way for each request, by the environment's proxies.

    A proxy is asked for http pages themselves (RFC 9112, section 3.2.2), since many refuse CONNECT to port 80; for
    https it makes tunnels. Fails with SourceUnavailable where the proxy is to blame.
    """

    def __init__(self, connections: Connections, proxies: Proxies) -> None:
        self._proxies = proxies
        self._straight = connections.straight()
        self._tunnelled = connections.tunnelled(proxies.https) if proxies.https else None
        self._forwarded = connections.forwarded(proxies.http) if proxies.http else None

    def proxy_to(self, uri: bytes) -> Proxy | None:
        """The proxy that leads to a URL of http or https, None when there is none."""
        here = URI.fromBytes(uri)
        return self._proxies.to(here.scheme.decode(), here.host.decode(), here.port)

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """See IAgent. `uri`: of http or https."""
        proxy = self.proxy_to(uri)
        if proxy is None:
            return self._straight.request(method, uri, headers, bodyProducer)
        if uri.startswith(b"https:"):
            assert self._tunnelled is not None
            return self._tunnelled.request(method, uri, headers, bodyProducer)
        assert self._forwarded is not None
        sent = _with_login(headers, proxy)
        return self._forwarded.request(method, uri, sent, bodyProducer).addCallback(_allowed, proxy)


def _with_login(headers: Headers | None, proxy: Proxy) -> Headers:
    sent = Headers() if headers is None else headers.copy()
    if proxy.authorization is not None:
        sent.setRawHeaders("Proxy-Authorization", [proxy.authorization])
    return sent


def _allowed(response: IResponse, proxy: Proxy) -> IResponse:
    """An answer, unless it is the proxy's own and asks for a login: other refusals look as if they were the host's."""
    if response.code != 407:
        return response
    discard(response)
    raise SourceUnavailable(f"the proxy {proxy.shown} {refused(proxy, response.code)}")

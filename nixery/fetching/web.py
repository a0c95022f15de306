"""The HTTP client: one GET at a time, bounded in time, size and redirects, that leaves no connection behind."""

from collections.abc import Mapping

from attrs import frozen
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.web.client import BrowserLikePolicyForHTTPS
from twisted.web.http_headers import Headers
from twisted.web.iweb import IPolicyForHTTPS, IResponse

from nixery import __version__
from nixery.errors import NixeryError, SourceUnavailable
from nixery.fetching.address import Address
from nixery.fetching.agent import Connections, IReactorWeb, ProxiedAgent
from nixery.fetching.body import discard, read
from nixery.fetching.encoding import Unpacking
from nixery.fetching.failure import given_up, why
from nixery.fetching.heads import Pool
from nixery.fetching.proxy import STRAIGHT, Proxies

_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OWN = {"User-Agent": f"nixery/{__version__}"}


@frozen
class Page:
    """An answer.

    `status`: 304 when the page is what `etag` stood for; `url`: where it was found after redirects, without user and
    password; `etag`: what stands for its content, where the server says so (RFC 9110, section 8.8.3).
    """

    status: int
    url: str
    body: bytes
    etag: str | None


class _Overrun(Exception):
    """The exchange's time is over."""


class Web:
    """Fetches pages.

    `seconds`: most time that one page may take, from the look-up of the host's name to the last byte, proxies and
    redirects included. `pool`: keeps connections; without one, each request makes one and closes it afterwards.
    `policy`: of TLS, by default what the host's authorities vouch for.
    """

    def __init__(
        self,
        reactor: IReactorWeb,
        seconds: float = 30.0,
        proxies: Proxies = STRAIGHT,
        pool: Pool | None = None,
        policy: IPolicyForHTTPS | None = None,
    ) -> None:
        self._reactor = reactor
        self._seconds = seconds
        pool = pool or Pool(reactor, persistent=False)
        connections = Connections(reactor, seconds, pool, policy or BrowserLikePolicyForHTTPS())
        self._agent = ProxiedAgent(connections, proxies)
        self._unpacking = Unpacking(self._agent)

    async def get(self, url: str, most: int, etag: str | None = None, headers: Mapping[str, str] | None = None) -> Page:
        """The page at a http or https URL, of at most `most` bytes (after Content-Encoding), whatever its status.

        `etag`: of the page that is at hand. A user and password in the URL are sent to its host alone, and shown
        nowhere. Raises SourceUnavailable.
        """
        address = Address.parse(url)
        sent = {**_OWN, **(headers or {}), **({"If-None-Match": etag} if etag else {})}
        exchange = Deferred.fromCoroutine(self._exchange(address, most, sent))
        exchange.addTimeout(self._seconds, self._reactor, onTimeoutCancel=_overrun)
        try:
            return await exchange
        except NixeryError:
            raise
        except _Overrun as error:
            raise SourceUnavailable(
                f"{address.shown} cannot be fetched{self._way(address)}: no full answer in {self._seconds:g} s"
            ) from error
        except Exception as error:
            if given_up(error):
                raise CancelledError() from error
            raise SourceUnavailable(f"{address.shown} cannot be fetched{self._way(address)}: {why(error)}") from error

    def _way(self, address: Address) -> str:
        proxy = self._agent.proxy_to(address.url.encode())
        return "" if proxy is None else f" through the proxy {proxy.shown}"

    async def _exchange(self, address: Address, most: int, headers: Mapping[str, str]) -> Page:
        here = address
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._ask(here, headers)
            location = response.headers.getRawHeaders(b"location")
            if response.code not in _REDIRECTS or not location:
                body = await read(response, most, here.shown)
                return Page(response.code, here.url, body, _etag(response))
            discard(response)
            here = here.follow(location[0].decode(errors="replace"))
        raise SourceUnavailable(f"{address.shown} cannot be fetched: more than {_MOST_REDIRECTS} redirects")

    async def _ask(self, address: Address, headers: Mapping[str, str]) -> IResponse:
        sent = Headers({name: [value] for name, value in headers.items()})
        if address.authorization is not None:
            sent.setRawHeaders("Authorization", [address.authorization])
        # A client of its own, so that cookies of one page are not sent for another.
        client = HTTPClient(self._unpacking)
        return await client.get(
            address.url,
            headers=sent,
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,  # type: ignore[arg-type]  # treq has a class of its own for these interfaces
        )


def _overrun(result: object, seconds: float) -> Failure:
    """However the exchange took its being cancelled, what it means is that its time was over."""
    return Failure(_Overrun())


def _etag(response: IResponse) -> str | None:
    values = response.headers.getRawHeaders(b"etag", [])
    return values[0].decode("ascii", errors="ignore") or None if values else None

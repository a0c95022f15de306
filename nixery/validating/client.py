"""The client of a registry: answers with all of their headers, and bodies of any size in pieces."""

from collections.abc import Awaitable, Mapping
from typing import TypeVar

from attrs import frozen
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IResponse

from nixery import __version__
from nixery.errors import NixeryError, SourceUnavailable
from nixery.fetching.address import Address
from nixery.fetching.body import discard
from nixery.fetching.failure import given_up, why
from nixery.validating.pieces import Take, hand_on

T = TypeVar("T")

_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_THE_EXCHANGE = frozenset({"date", "age"})


@frozen
class Answer:
    """The head of an answer. `headers`: names in lower case; `moved`: whether it comes from where a redirect led to."""

    status: int
    headers: Mapping[str, str]
    moved: bool

    def header(self, name: str) -> str | None:
        """A header's value, several joined by commas."""
        return self.headers.get(name.lower())

    @property
    def lasting(self) -> Mapping[str, str]:
        """The headers that speak of the content, not of one exchange."""
        return {name: text for name, text in self.headers.items() if name not in _OF_THE_EXCHANGE}


class Client:
    """Asks a registry. `seconds`: most time until an answer begins, and between two pieces of its body."""

    def __init__(self, agent: IAgent, clock: IReactorTime, seconds: float) -> None:
        self._agent = agent
        self._clock = clock
        self._seconds = seconds

    async def head(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to HEAD; raises SourceUnavailable."""
        return await self._ask("HEAD", url, headers or {}, lambda piece: True)

    async def get(self, url: str, take: Take, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to GET, once `take` has got all of its body or wants no more; raises SourceUnavailable."""
        return await self._ask("GET", url, headers or {}, take)

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], take: Take) -> Answer:
        first = here = Address.parse(url)
        for _ in range(_MOST_REDIRECTS + 1):
            response = await _in_words(here, self._begun(method, here, headers))
            location = response.headers.getRawHeaders(b"location")
            if response.code not in _REDIRECTS or not location:
                await _in_words(here, hand_on(response, take, self._clock, self._seconds))
                return Answer(response.code, _headers(response), here is not first)
            discard(response)
            here = here.follow(location[0].decode(errors="replace"))
        raise SourceUnavailable(f"{first.shown} cannot be fetched: more than {_MOST_REDIRECTS} redirects")

    def _begun(self, method: str, address: Address, headers: Mapping[str, str]) -> Deferred[IResponse]:
        sent = Headers({"User-Agent": [f"nixery/{__version__}"], **{name: [text] for name, text in headers.items()}})
        if address.authorization is not None:
            sent.setRawHeaders("Authorization", [address.authorization])
        asked = self._agent.request(method.encode(), address.url.encode(), sent)
        return asked.addTimeout(self._seconds, self._clock, onTimeoutCancel=_silent)


async def _in_words(address: Address, waited: Awaitable[T]) -> T:
    """What is waited for; raises SourceUnavailable that says what went wrong."""
    try:
        return await waited
    except NixeryError as problem:
        raise SourceUnavailable(f"{address.shown} cannot be fetched: {problem}") from problem
    except Exception as problem:
        if given_up(problem):
            raise CancelledError() from problem
        raise SourceUnavailable(f"{address.shown} cannot be fetched: {why(problem)}") from problem


def _silent(result: object, seconds: float) -> Failure:
    """However the request took its being cancelled, what it means is that the host was silent."""
    return Failure(error.TimeoutError())


def _headers(response: IResponse) -> Mapping[str, str]:
    """All headers; twisted.web keeps the length of a body apart."""
    found = {
        name.decode("latin-1").lower(): ", ".join(value.decode("latin-1") for value in values)
        for name, values in response.headers.getAllRawHeaders()
    }
    length = {"content-length": str(response.length)} if isinstance(response.length, int) else {}
    return {**length, **found}

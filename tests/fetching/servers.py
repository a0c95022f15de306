"""Servers on loopback: pages, and whatever a hostile or tired host may do instead."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import crypto
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import Certificate, CertificateOptions
from twisted.internet.tcp import Port
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import Site

from nixery.errors import SourceUnavailable
from nixery.fetching.web import Page


def turn() -> Deferred[None]:
    """Let the reactor go round once."""
    done: Deferred[None] = Deferred()
    reactor.callLater(0, done.callback, None)
    return done


def left() -> set[object]:
    """What waits in the reactor for a socket or for a moment."""
    return {*reactor.getReaders(), *reactor.getWriters(), *reactor.getDelayedCalls()}


async def nothing_left(before: set[object]) -> None:
    """Both ends of a connection do not end in the same turn."""
    for _ in range(1000):
        if left() <= before:
            return
        await turn()
    assert left() <= before


class Pages(Resource):
    """Answers with what `answer` returns; keeps the headers that came with each path."""

    isLeaf = True

    def __init__(self, answer: Callable[[Request], bytes]) -> None:
        super().__init__()
        self._answer = answer
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []

    def render_GET(self, request: Request) -> bytes:
        self.asked.append(request.uri.decode())
        self.authorizations.append(request.getHeader("authorization"))
        return self._answer(request)


class Says(Protocol):
    """Answers whatever comes first with the same bytes, and knows when the connection is gone."""

    def __init__(self, words: bytes, end: bool) -> None:
        self.gone: Deferred[None] = Deferred()
        self.asked = b""
        self._words = words
        self._end = end

    def dataReceived(self, data: bytes) -> None:
        self.asked += data
        if self._words:
            assert self.transport is not None
            self.transport.write(self._words)
            self._words = b""
            if self._end:
                self.transport.loseConnection()

    def again(self, words: bytes) -> None:
        """Answer once more."""
        self._words = words

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone.callback(None)


class Saying(Factory):
    """A server that says `words` when asked, then ends the connection (`end`) or is silent."""

    def __init__(self, words: bytes, end: bool = False) -> None:
        self.connections: list[Says] = []
        self._words = words
        self._end = end

    def buildProtocol(self, addr: object) -> Says:
        self.connections.append(Says(self._words, self._end))
        return self.connections[-1]


def issued(host: str) -> tuple[CertificateOptions, Certificate]:
    """A host's certificate, and what a client needs to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"a test of {host}")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    own = crypto.X509.from_cryptography(made)
    return CertificateOptions(crypto.PKey.from_cryptography_key(key), own), Certificate(own)


@asynccontextmanager
async def served(factory: IProtocolFactory) -> AsyncIterator[str]:
    """The host and port of a server, closed afterwards."""
    port = Port(0, factory, interface="127.0.0.1", reactor=reactor)
    port.startListening()
    try:
        yield f"127.0.0.1:{port.getHost().port}"
    finally:
        await port.stopListening()


@asynccontextmanager
async def pages(answer: Callable[[Request], bytes]) -> AsyncIterator[tuple[str, Pages]]:
    """A site's address and what it was asked."""
    resource = Pages(answer)
    async with served(Site(resource)) as host:
        yield host, resource


async def refusal(fetching: Deferred[Page]) -> str:
    """The words with which fetching fails."""
    try:
        await fetching
    except SourceUnavailable as error:
        return str(error)
    raise AssertionError("it did not fail")

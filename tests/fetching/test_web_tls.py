"""The client over TLS, with an authority of the test's own."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.internet.tcp import Client
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.web.client import BrowserLikePolicyForHTTPS

from nixery.fetching.web import Page, Web
from tests.fetching.servers import Saying, issued, refusal, served, turn

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwords"


def trusting(certificate: Certificate, seconds: float = 30.0) -> Web:
    policy = BrowserLikePolicyForHTTPS(trustRootFromCertificates([certificate]))
    return Web(reactor, seconds, policy=policy)  # type: ignore[arg-type]  # a module to mypy


def got(web: Web, host: str) -> Deferred[Page]:
    url = f"https://{host.replace('127.0.0.1', 'localhost')}/"
    return Deferred.fromCoroutine(web.get(url, 1000))


@pytest_twisted.ensureDeferred
async def test_a_page_is_had_over_tls() -> None:
    options, trusted = issued("localhost")
    async with served(TLSMemoryBIOFactory(options, False, Saying(ANSWER))) as host:
        assert (await got(trusting(trusted), host)).body == b"words"


@pytest_twisted.ensureDeferred
async def test_a_host_that_nobody_vouches_for_is_refused() -> None:
    options, _ = issued("localhost")
    async with served(TLSMemoryBIOFactory(options, False, Saying(ANSWER))) as host:
        assert "TLS fails: certificate verify failed" in await refusal(got(trusting(issued("localhost")[1]), host))


@pytest_twisted.ensureDeferred
async def test_another_hosts_certificate_is_refused() -> None:
    options, trusted = issued("elsewhere.example")
    async with served(TLSMemoryBIOFactory(options, False, Saying(ANSWER))) as host:
        assert "TLS fails: the certificate is another host's" in await refusal(got(trusting(trusted), host))


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"], ids=["headers", "body"])
@pytest_twisted.ensureDeferred
async def test_a_silent_host_is_left_without_its_word(words: bytes) -> None:
    options, trusted = issued("localhost")
    server = Saying(words)
    async with served(TLSMemoryBIOFactory(options, False, server)) as host:
        assert "no full answer in 0.5 s" in await refusal(got(trusting(trusted, seconds=0.5), host))
        await server.connections[0].gone


@pytest_twisted.ensureDeferred
async def test_a_host_that_does_not_even_hear_is_left() -> None:
    options, trusted = issued("localhost")
    server = Saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
    async with served(TLSMemoryBIOFactory(options, False, server)) as host:
        fetching = Deferred.fromCoroutine(refusal(got(trusting(trusted, seconds=0.5), host)))
        while not server.connections or not server.connections[0].asked:
            await turn()
        deaf = server.connections[0].transport
        assert isinstance(deaf, TLSMemoryBIOProtocol)
        deaf.pauseProducing()
        assert "no full answer" in await fetching
        await turn()
        assert [reader for reader in reactor.getReaders() if isinstance(reader, Client)] == []
        deaf.resumeProducing()
        await server.connections[0].gone

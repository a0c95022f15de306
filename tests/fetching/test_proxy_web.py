"""The client through real proxies on loopback."""

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.ssl import trustRootFromCertificates
from twisted.web.client import BrowserLikePolicyForHTTPS, HTTPConnectionPool

from nixery.fetching.proxy import Proxies
from nixery.fetching.web import Web
from tests.fetching.proxies import (
    ANSWER,
    LOGIN,
    TRUSTED,
    ProxyServer,
    all_gone,
    got,
    named,
    over_tls,
    web,
)
from tests.fetching.servers import Saying, issued, left, nothing_left, pages, refusal, served


@pytest_twisted.ensureDeferred
async def test_https_goes_through_a_tunnel_to_the_host_by_its_name() -> None:
    before, server, proxy = left(), Saying(ANSWER), ProxyServer()
    async with served(over_tls(server)) as host, served(proxy) as at:
        page = await got(f"https://{named(host)}/a", f"http://{at}")
        await all_gone(server)
        await all_gone(proxy)
    assert page.body == b"words"
    [head] = proxy.heads
    assert head.startswith(f"CONNECT {named(host)} HTTP/1.1\r\nHost: {named(host)}\r\nUser-Agent: nixery/")
    assert "Authorization" not in head
    assert server.connections[0].asked.startswith(b"GET /a HTTP/1.1\r\n")
    await nothing_left(before)


@pytest_twisted.ensureDeferred
async def test_the_login_is_for_the_proxy_alone() -> None:
    server, proxy = Saying(ANSWER), ProxyServer()
    async with served(over_tls(server)) as host, served(proxy) as at:
        await got(f"https://you:word@{named(host)}/", f"http://me:secret@{at}")
    assert f"\r\nProxy-Authorization: {LOGIN}\r\n" in proxy.heads[0]
    assert "\r\nAuthorization:" not in proxy.heads[0]
    assert b"\r\nAuthorization:" in server.connections[0].asked
    assert b"Proxy-Authorization" not in server.connections[0].asked


@pytest_twisted.ensureDeferred
async def test_http_is_asked_of_the_proxy_itself() -> None:
    proxy = ProxyServer()
    async with pages(lambda request: b"words") as (host, site), served(proxy) as at:
        page = await got(f"http://{named(host)}/a?b", f"http://me:secret@{at}")
    assert (page.url, page.body) == (f"http://{named(host)}/a?b", b"words")
    [head] = proxy.heads
    assert head.startswith(f"GET http://{named(host)}/a?b HTTP/1.1\r\n")
    assert f"\r\nProxy-Authorization: {LOGIN}\r\n" in head
    assert f"\r\nHost: {named(host)}\r\n" in head
    assert site.asked == ["/a?b"]


@pytest_twisted.ensureDeferred
async def test_exempt_hosts_are_reached_straight() -> None:
    proxy = ProxyServer()
    async with pages(lambda request: b"words") as (host, _), served(proxy) as at:
        assert (await got(f"http://{host}/", f"http://me:secret@{at}", "127.0.0.0/8")).body == b"words"
    assert proxy.heads == []


@pytest_twisted.ensureDeferred
async def test_a_redirect_takes_its_own_way() -> None:
    server, proxy = Saying(ANSWER), ProxyServer()
    async with served(over_tls(server)) as host, served(proxy) as at:
        there = f"https://{named(host)}/there"
        moved = f"HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode()
        async with served(Saying(moved)) as here:
            page = await got(f"http://{here}/", f"http://{at}", "127.0.0.1")
    assert page.url == there
    assert [head.partition(" ")[0] for head in proxy.heads] == ["CONNECT"]


@pytest_twisted.ensureDeferred
async def test_another_hosts_certificate_is_refused_in_a_tunnel() -> None:
    proxy = ProxyServer()
    options, trusted = issued("elsewhere.example")
    async with served(over_tls(Saying(ANSWER), options)) as host, served(proxy) as at:
        words = await refusal(
            Deferred.fromCoroutine(web(f"http://{at}", "", 30.0, trusted).get(f"https://{named(host)}/", 10))
        )
    assert words == (
        f"https://{named(host)}/ cannot be fetched through the proxy http://{at}: "
        "TLS fails: the certificate is another host's"
    )


@pytest_twisted.ensureDeferred
async def test_a_proxy_may_itself_be_reached_over_tls() -> None:
    server, proxy = Saying(ANSWER), ProxyServer()
    options, trusted = issued("localhost")
    async with served(over_tls(server)) as host, served(over_tls(proxy, options)) as at:
        by = web(f"https://me:secret@localhost:{at.rpartition(':')[2]}", "", 30.0, trusted)
        assert (await by.get(f"https://{named(host)}/", 10)).body == b"words"
        await all_gone(server)
        await all_gone(proxy)
    assert f"\r\nProxy-Authorization: {LOGIN}\r\n" in proxy.heads[0]


@pytest_twisted.ensureDeferred
async def test_a_proxy_that_nobody_vouches_for_is_told_no_login() -> None:
    proxy = ProxyServer()
    async with served(over_tls(proxy, issued("localhost")[0])) as at:
        by = f"https://me:secret@localhost:{at.rpartition(':')[2]}"
        words = await refusal(got("https://target.example/", by))
    assert f"the proxy https://localhost:{at.rpartition(':')[2]} fails: TLS fails: certificate verify failed" in words
    assert proxy.heads == []


@pytest_twisted.ensureDeferred
async def test_a_tunnel_is_used_again() -> None:
    server, proxy = Saying(ANSWER), ProxyServer()
    policy = BrowserLikePolicyForHTTPS(trustRootFromCertificates([TRUSTED]))
    pool = HTTPConnectionPool(reactor)
    async with served(over_tls(server)) as host, served(proxy) as at:
        by = Web(reactor, 30.0, Proxies.parse({"https_proxy": at}), pool, policy)  # type: ignore[arg-type]  # a module
        for _ in range(2):
            for connection in server.connections:
                connection.again(ANSWER)
            assert (await by.get(f"https://{named(host)}/", 10)).body == b"words"
        await pool.closeCachedConnections()
        await all_gone(proxy)
    assert len(proxy.heads) == 1


@pytest_twisted.ensureDeferred
async def test_answers_before_the_one_that_counts_are_passed_over() -> None:
    proxy = ProxyServer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Wait\r\nA: b\r\n\r\nHTTP/1.0 200\r\n\r\n")
    async with served(over_tls(Saying(ANSWER))) as host, served(proxy) as at:
        assert (await got(f"https://{named(host)}/", f"http://{at}")).body == b"words"

"""The client against real sockets on loopback."""

import gzip

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.http import Request

from nixery.fetching.web import Page, Web
from tests.fetching.servers import Saying, left, nothing_left, pages, refusal, served, turn


def web(seconds: float = 30.0) -> Web:
    return Web(reactor, seconds)  # type: ignore[arg-type]  # a module to mypy


def got(url: str, most: int = 1000, seconds: float = 30.0, etag: str | None = None) -> Deferred[Page]:
    return Deferred.fromCoroutine(web(seconds).get(url, most, etag))


@pytest_twisted.ensureDeferred
async def test_a_page_is_had_with_its_etag() -> None:
    def answer(request: Request) -> bytes:
        request.setHeader("ETag", '"one"')
        return b"words"

    async with pages(answer) as (host, _):
        assert await got(f"http://{host}/a?b#c") == Page(200, f"http://{host}/a?b", b"words", '"one"')


@pytest_twisted.ensureDeferred
async def test_a_page_that_is_at_hand_is_not_sent_again() -> None:
    def answer(request: Request) -> bytes:
        return b"" if request.setETag(b'"one"') else b"words"

    async with pages(answer) as (host, _):
        page = await got(f"http://{host}/", etag='"one"')
        assert (page.status, page.body) == (304, b"")
        assert (await got(f"http://{host}/", etag='"two"')).body == b"words"


@pytest.mark.parametrize("status", [204, 403, 404, 500])
@pytest_twisted.ensureDeferred
async def test_any_status_is_an_answer(status: int) -> None:
    def answer(request: Request) -> bytes:
        request.setResponseCode(status)
        return b""

    async with pages(answer) as (host, _):
        assert (await got(f"http://{host}/")).status == status


@pytest_twisted.ensureDeferred
async def test_headers_are_sent() -> None:
    async with pages(lambda request: str(request.getHeader("accept")).encode()) as (host, _):
        assert (await web().get(f"http://{host}/", 100, headers={"Accept": "text/x-this"})).body == b"text/x-this"


@pytest_twisted.ensureDeferred
async def test_redirects_are_followed() -> None:
    def answer(request: Request) -> bytes:
        if request.path == b"/there":
            return b"words"
        request.redirect(b"/there?x")
        return b"x" * 5000

    async with pages(answer) as (host, site):
        assert await got(f"http://{host}/here", most=5) == Page(200, f"http://{host}/there?x", b"words", None)
        assert site.asked == ["/here", "/there?x"]


@pytest_twisted.ensureDeferred
async def test_redirects_end() -> None:
    def answer(request: Request) -> bytes:
        request.redirect(b"/" + b"x" * len(request.path))
        return b""

    async with pages(answer) as (host, site):
        words = await refusal(got(f"http://{host}/"))
        assert words == f"http://{host}/ cannot be fetched: more than 10 redirects"
        assert len(site.asked) == 11


@pytest_twisted.ensureDeferred
async def test_user_and_password_go_to_their_own_host_alone() -> None:
    async with pages(lambda request: b"") as (other, elsewhere):

        def answer(request: Request) -> bytes:
            request.redirect(f"http://{other}/".encode() if request.path == b"/x" else b"/x")
            return b""

        async with pages(answer) as (host, site):
            page = await got(f"http://me:secret@{host}/")
    assert site.authorizations == ["Basic bWU6c2VjcmV0"] * 2
    assert elsewhere.authorizations == [None]
    assert page.url == f"http://{other}/"


@pytest_twisted.ensureDeferred
async def test_a_page_of_just_the_most_bytes_is_had() -> None:
    async with pages(lambda request: b"x" * 1000) as (host, _):
        assert len((await got(f"http://{host}/", most=1000)).body) == 1000


@pytest_twisted.ensureDeferred
async def test_a_page_that_is_too_big_is_given_up() -> None:
    server = Saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001)
    async with served(server) as host:
        words = await refusal(got(f"http://{host}/a"))
        await server.connections[0].gone
    assert words == f"http://{host}/a has more than the 1000 bytes that it may have"


@pytest_twisted.ensureDeferred
async def test_a_page_that_says_it_is_too_big_is_not_waited_for() -> None:
    server = Saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
    async with served(server) as host:
        words = await refusal(got(f"http://{host}/a"))
        await server.connections[0].gone
    assert "1000 bytes" in words


@pytest_twisted.ensureDeferred
async def test_a_small_answer_that_unpacks_to_a_big_one_is_given_up() -> None:
    def answer(request: Request) -> bytes:
        request.setHeader("Content-Encoding", "gzip")
        return gzip.compress(b"x" * 100_000)

    async with pages(answer) as (host, _):
        assert "has more than the 1000 bytes" in await refusal(got(f"http://{host}/"))


SILENCES = {
    "at once": b"",
    "within the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "within the body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx",
    "within a redirect's body": b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 100\r\n\r\nx",
}


@pytest.mark.parametrize("words", SILENCES.values(), ids=SILENCES)
@pytest_twisted.ensureDeferred
async def test_a_silent_host_is_left_after_the_time_and_leaves_nothing_behind(words: bytes) -> None:
    before = left()
    server = Saying(words)
    async with served(server) as host:
        told = await refusal(got(f"http://me:secret@{host}/a?token", seconds=0.3))
        for connection in server.connections:
            await connection.gone
    assert told in (
        f"http://{host}/a cannot be fetched: no full answer in 0.3 s",
        f"http://{host}/a cannot be fetched: more than 10 redirects",
    )
    assert left() <= before


@pytest_twisted.ensureDeferred
async def test_giving_up_the_waiting_closes_the_connection() -> None:
    before, server = left(), Saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
    async with served(server) as host:
        fetching = got(f"http://{host}/")
        while not server.connections or not server.connections[0].asked:
            await turn()
        fetching.cancel()
        with pytest.raises(CancelledError):
            await fetching
    await nothing_left(before)
    assert server.connections[0].gone.called


@pytest_twisted.ensureDeferred
async def test_nothing_is_left_after_an_answer() -> None:
    before = left()
    server = Saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwords")
    async with served(server) as host:
        assert (await got(f"http://{host}/")).body == b"words"
        await server.connections[0].gone
    assert left() <= before


FAULTS = {
    "the connection ended before the answer did": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx",
    "ParseError": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
}


@pytest.mark.parametrize("words", FAULTS)
@pytest_twisted.ensureDeferred
async def test_a_broken_answer_is_said(words: str) -> None:
    async with served(Saying(FAULTS[words], end=True)) as host:
        assert words in await refusal(got(f"http://{host}/"))


@pytest_twisted.ensureDeferred
async def test_a_refused_connection_is_said() -> None:
    async with served(Saying(b"")) as host:
        pass
    assert await refusal(got(f"http://me:secret@{host}/")) == (
        f"http://{host}/ cannot be fetched: the host refuses the connection"
    )


@pytest_twisted.ensureDeferred
async def test_an_unknown_host_is_said() -> None:
    assert await refusal(got("http://nowhere.invalid/")) == (
        "http://nowhere.invalid/ cannot be fetched: the host's name is not found"
    )


@pytest_twisted.ensureDeferred
async def test_a_host_that_does_not_speak_tls_is_said() -> None:
    async with served(Saying(b"HTTP/1.1 400 Bad Request\r\n\r\n", end=True)) as host:
        assert f"https://{host}/ cannot be fetched: TLS fails: " in await refusal(got(f"https://{host}/"))

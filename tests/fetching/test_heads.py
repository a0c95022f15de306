"""Headers that do not end, against real sockets on loopback."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.web.http import Request

from nixery.fetching.heads import Pool
from nixery.fetching.web import Page, Web
from tests.fetching.servers import Saying, pages, refusal, served

OK = b"HTTP/1.1 200 OK\r\n"
FULL = OK + b"Content-Length: 5\r\n\r\nwords"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


def got(host: str, pool: Pool | None = None) -> Deferred[Page]:
    return Deferred.fromCoroutine(Web(reactor, pool=pool).get(f"http://{host}/", 200_000))  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [b"X: " + b"x" * 1000 + b"\r\n", b" " + b"x" * 1000 + b"\r\n", b"X: y\n"])
@pytest.mark.parametrize("before", [OK + b"A: b\r\n", INTERIM + OK + b"A: b\r\n"])
@pytest_twisted.ensureDeferred
async def test_headers_without_an_end_are_not_collected(line: bytes, before: bytes) -> None:
    server = Saying(before + line * (200_000 // len(line)))
    async with served(server) as host:
        words = await refusal(got(host))
        await server.connections[0].gone
    assert words == f"http://{host}/ cannot be fetched: EndlessHeaders of more than 65536 bytes"


@pytest.mark.parametrize(
    "answer",
    [
        FULL,
        INTERIM + FULL,
        INTERIM * 9000 + FULL,
        FULL.replace(b"\r\n", b"\n"),
        FULL.replace(b"5", b"5 \r\nX: " + b"x" * 9000),
    ],
)
@pytest_twisted.ensureDeferred
async def test_headers_with_an_end_are_taken(answer: bytes) -> None:
    async with served(Saying(answer)) as host:
        assert (await got(host)).body == b"words"


@pytest_twisted.ensureDeferred
async def test_a_body_is_no_header(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(Saying(OK + b"Content-Length: 150000\r\n\r\n" + b"x" * 150_000)) as host:
        assert len((await got(host)).body) == 150_000


@pytest_twisted.ensureDeferred
async def test_a_connection_that_is_kept_counts_each_answer_anew() -> None:
    def answer(request: Request) -> bytes:
        request.setHeader("X", "x" * 10_000)
        return b"x" * 90_000

    pool = Pool(reactor)
    async with pages(answer) as (host, site):
        for _ in range(10):
            assert len((await got(host, pool)).body) == 90_000
        await pool.closeCachedConnections()
    assert len(site.asked) == 10

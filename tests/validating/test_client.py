"""What the client of a registry does of itself."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.web.client import Agent
from twisted.web.http import Request

from nixery.errors import SourceUnavailable
from nixery.validating.client import Client
from tests.fetching.servers import Saying, pages, served, turn


class Got(bytearray):
    """What was taken."""

    def take(self, piece: bytes) -> bool:
        self.extend(piece)
        return True


@pytest_twisted.ensureDeferred
async def test_a_redirect_is_followed_and_told_and_another_host_gets_no_password() -> None:
    def there(request: Request) -> bytes:
        return b"there"

    async with pages(there) as (other, asked):

        def here(request: Request) -> bytes:
            request.redirect(f"http://{other}/x".encode())
            return b""

        async with pages(here) as (host, _):
            got = Got()
            answer = await Client(Agent(reactor), reactor, 10).get(f"http://me:secret@{host}/", got.take)
    assert (answer.status, answer.moved, bytes(got)) == (200, True, b"there")
    assert asked.authorizations == [None]


@pytest_twisted.ensureDeferred
async def test_a_password_in_the_url_is_sent() -> None:
    async with pages(lambda request: b"") as (host, asked):
        await Client(Agent(reactor), reactor, 10).head(f"http://me:secret@{host}/")
    assert asked.authorizations == ["Basic bWU6c2VjcmV0"]


@pytest_twisted.ensureDeferred
async def test_redirects_without_end_are_given_up() -> None:
    def round(request: Request) -> bytes:
        request.redirect(b"/")
        return b""

    async with pages(round) as (host, asked):
        with pytest.raises(SourceUnavailable, match="more than 10 redirects"):
            await Client(Agent(reactor), reactor, 10).head(f"http://{host}/")
    assert len(asked.asked) == 11


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome"])
@pytest_twisted.ensureDeferred
async def test_a_silent_server_is_given_up(said: bytes) -> None:
    server, clock = Saying(said), Clock()
    got = Got()
    async with served(server) as host:
        asked = Deferred.fromCoroutine(Client(Agent(reactor), clock, 10).get(f"http://{host}/", got.take))
        while not server.connections or not server.connections[0].asked or (said and not got):
            await turn()
        clock.advance(10)
        with pytest.raises(SourceUnavailable, match="the host does not answer"):
            await asked
        await server.connections[0].gone
    assert clock.getDelayedCalls() == []


@pytest_twisted.ensureDeferred
async def test_who_wants_no_more_closes_the_connection() -> None:
    server, clock = Saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome"), Clock()
    async with served(server) as host:
        answer = await Client(Agent(reactor), clock, 10).get(f"http://{host}/", lambda piece: False)
        await server.connections[0].gone
    assert (answer.status, answer.header("Content-Length")) == (200, "9")
    assert clock.getDelayedCalls() == []


@pytest_twisted.ensureDeferred
async def test_a_server_may_take_its_time_from_piece_to_piece() -> None:
    server, clock, got = Saying(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na"), Clock(), Got()
    async with served(server) as host:
        asked = Deferred.fromCoroutine(Client(Agent(reactor), clock, 10).get(f"http://{host}/", got.take))
        for number, piece in enumerate((b"b", b"c", b"d"), 1):
            while len(got) < number:
                await turn()
            clock.advance(9)
            transport = server.connections[0].transport
            assert transport is not None
            transport.write(piece)
        await asked
    assert bytes(got) == b"abcd"

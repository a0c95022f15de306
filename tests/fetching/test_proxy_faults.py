"""The client and proxies that refuse, break off, or are silent."""

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError

from nixery.errors import SourceUnavailable
from tests.fetching.proxies import all_gone, got
from tests.fetching.servers import Saying, left, nothing_left, refusal, served, turn

REFUSALS = {
    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 9\r\n\r\n": (
        "answers with status 407: set user and password in https_proxy"
    ),
    b"HTTP/1.0 403 Forbidden\r\n\r\n<html>": "answers with status 403",
    b"HTTP/1.1 502\r\n\r\n": "answers with status 502",
    b"SSH-2.0-OpenSSH_9.2\r\n": "does not answer as an HTTP proxy",
    b"HTTP/1.1 2000 OK\r\n\r\n": "does not answer as an HTTP proxy",
    b"\x15\x03\x01": "does not answer as an HTTP proxy",
    b"HTTP/1.1 200 OK\r\nA: " + b"x" * 20_000: "answers with headers of more than 16384 bytes",
    b"HTTP/1.1 200 OK\r\nA: " + b"x" * 20_000 + b"\r\n\r\n": "answers with headers of more than 16384 bytes",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 1000: "answers with headers of more than 16384 bytes",
}


@pytest.mark.parametrize("words", REFUSALS, ids=range(len(REFUSALS)))
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_makes_no_tunnel_is_named(words: bytes) -> None:
    before, proxy = left(), Saying(words)
    async with served(proxy) as at:
        told = await refusal(got("https://target.example/", f"http://{at}"))
        await all_gone(proxy)
    assert told == f"target.example:443 cannot be reached: the proxy http://{at} {REFUSALS[words]}"
    await nothing_left(before)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("login", ["", "me:secret@"])
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_wants_a_login_says_where_to_set_it(scheme: str, login: str) -> None:
    before, proxy = left(), Saying(b"HTTP/1.1 407 No\r\nContent-Length: 9\r\n\r\n")
    async with served(proxy) as at:
        told = await refusal(got(f"{scheme}://target.example/", f"http://{login}{at}"))
        await all_gone(proxy)
    do = "it does not take the user and password in" if login else "set user and password in"
    assert told.endswith(f"the proxy http://{at} answers with status 407: {do} {scheme}_proxy")
    await nothing_left(before)


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 O"], ids=["at once", "halfway"])
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_breaks_off_is_named(words: bytes) -> None:
    async with served(Saying(words or b"H", end=True)) as at:
        told = await refusal(got("https://target.example/", f"http://me:secret@{at}"))
    assert told == (
        f"target.example:443 cannot be reached: the proxy http://{at} fails: the connection ended before the answer did"
    )


@pytest_twisted.ensureDeferred
async def test_a_tunnel_that_breaks_off_is_said() -> None:
    before, proxy = left(), Saying(b"HTTP/1.1 200 OK\r\n\r\n", end=True)
    async with served(proxy) as at:
        told = await refusal(got("https://target.example/", f"http://{at}"))
        await all_gone(proxy)
    assert told.startswith(f"https://target.example/ cannot be fetched through the proxy http://{at}: ")
    await nothing_left(before)


@pytest_twisted.ensureDeferred
async def test_what_comes_right_after_the_answer_is_of_the_tunnel() -> None:
    async with served(Saying(b"HTTP/1.1 200 OK\n\nno TLS at all")) as at:
        assert ": TLS fails: " in await refusal(got("https://target.example/", f"http://{at}"))


SILENCES = {"at once": b"", "halfway": b"HTTP/1.1 200 OK\r\nA: ", "in the tunnel": b"HTTP/1.1 200 OK\r\n\r\n"}


@pytest.mark.parametrize("words", SILENCES.values(), ids=SILENCES)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest_twisted.ensureDeferred
async def test_a_silent_proxy_is_left_after_the_time_and_named(words: bytes, scheme: str) -> None:
    before, proxy = left(), Saying(words.replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n"))
    async with served(proxy) as at:
        told = await refusal(got(f"{scheme}://target.example/", f"http://me:secret@{at}", seconds=0.3))
        await all_gone(proxy)
    assert told == (
        f"{scheme}://target.example/ cannot be fetched through the proxy http://{at}: no full answer in 0.3 s"
    )
    await nothing_left(before)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest_twisted.ensureDeferred
async def test_giving_up_the_waiting_closes_the_connection(scheme: str) -> None:
    before, proxy = left(), Saying(b"")
    async with served(proxy) as at:
        fetching = got(f"{scheme}://target.example/", f"http://{at}")
        while not proxy.connections or not proxy.connections[0].asked:
            await turn()
        fetching.cancel()
        with pytest.raises(CancelledError):
            await fetching
        await all_gone(proxy)
    await nothing_left(before)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest_twisted.ensureDeferred
async def test_giving_up_while_the_proxy_is_looked_for_leaves_nothing(scheme: str) -> None:
    before = left()
    async with served(Saying(b"")) as at:
        fetching = got(f"{scheme}://target.example/", f"http://{at}")
        fetching.cancel()
        with pytest.raises((CancelledError, SourceUnavailable)):  # HostnameEndpoint says that the name is not found
            await fetching
    await turn()
    await nothing_left(before)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_cannot_be_reached_is_named(scheme: str) -> None:
    async with served(Saying(b"")) as at:
        pass
    assert await refusal(got(f"{scheme}://target.example/", f"http://me:secret@{at}")) == (
        f"the proxy http://{at} cannot be reached: the host refuses the connection"
    )
    assert await refusal(got(f"{scheme}://target.example/", "http://nowhere.invalid:3128")) == (
        "the proxy http://nowhere.invalid:3128 cannot be reached: the host's name is not found"
    )

"""Packed answers against real sockets on loopback."""

import gzip
import tracemalloc
import zlib

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from nixery.fetching.web import Page, Web
from tests.fetching.servers import Saying, refusal, served


def got(host: str, most: int = 1_000_000) -> Deferred[Page]:
    return Deferred.fromCoroutine(Web(reactor).get(f"http://{host}/a?b", most))  # type: ignore[arg-type]  # a module


def answer(body: bytes, *encodings: bytes, length: bool = True) -> bytes:
    lines = [b"HTTP/1.1 200 OK", *(b"Content-Encoding: " + encoding for encoding in encodings)]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


WORDS = b"words " * 50_000
MEMBERS = gzip.compress(WORDS[:1000]) + gzip.compress(b"") + gzip.compress(WORDS[1000:])


@pytest.mark.parametrize("encoding", [b"gzip", b"GZip", b"x-gzip"])
@pytest_twisted.ensureDeferred
async def test_gzip_is_unpacked(encoding: bytes) -> None:
    async with served(Saying(answer(gzip.compress(WORDS), encoding))) as host:
        assert (await got(host)).body == WORDS


@pytest_twisted.ensureDeferred
async def test_gzip_of_several_members_is_unpacked() -> None:
    async with served(Saying(answer(MEMBERS, b"gzip"))) as host:
        assert (await got(host)).body == WORDS


@pytest_twisted.ensureDeferred
async def test_members_larger_than_what_is_unpacked_at_once_are_unpacked_once_each() -> None:
    async with served(Saying(answer(gzip.compress(WORDS) * 3, b"gzip"))) as host:
        assert (await got(host)).body == WORDS * 3


@pytest.mark.parametrize("encodings", [[], [b"identity"]])
@pytest_twisted.ensureDeferred
async def test_what_is_not_packed_stays_as_it_is(encodings: list[bytes]) -> None:
    async with served(Saying(answer(MEMBERS, *encodings))) as host:
        assert (await got(host)).body == MEMBERS


@pytest_twisted.ensureDeferred
async def test_no_body_at_all_is_not_gzip_that_ends_in_the_middle() -> None:
    async with served(Saying(answer(b"", b"gzip"))) as host:
        assert (await got(host)).body == b""


BROKEN = {
    "no gzip": (b"words", "is no gzip, though it is said to be"),
    "more after the end": (gzip.compress(WORDS) + b"words", "is no gzip, though it is said to be"),
    "another sum": (gzip.compress(b"words")[:-8] + bytes(8), "is no gzip, though it is said to be"),
    "half of it": (gzip.compress(WORDS)[:-9], "ends in the middle"),
}


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize(("body", "words"), BROKEN.values(), ids=BROKEN)
@pytest_twisted.ensureDeferred
async def test_broken_gzip_is_said(body: bytes, words: str, length: bool) -> None:
    async with served(Saying(answer(body, b"gzip", length=length), end=True)) as host:
        assert await refusal(got(host)) == f"http://{host}/a {words}"


@pytest.mark.parametrize("encodings", [[b"br"], [b"gzip, gzip"], [b"gzip", b"gzip"], [b"\xff\x1b"]])
@pytest_twisted.ensureDeferred
async def test_an_encoding_that_was_not_asked_for_is_refused(encodings: list[bytes]) -> None:
    server = Saying(answer(gzip.compress(gzip.compress(b"words")), *encodings))
    async with served(server) as host:
        words = await refusal(got(host))
        await server.connections[0].gone
    assert words.startswith(f"http://{host}/a is answered in the encoding '")
    assert words.endswith("', which was not asked for")
    assert words.isprintable()


@pytest_twisted.ensureDeferred
async def test_what_unpacks_to_too_much_is_not_unpacked_whole() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(60)) + packer.flush()
    async with served(Saying(answer(bomb, b"gzip"))) as host:
        tracemalloc.start()
        try:
            words = await refusal(got(host))
            assert tracemalloc.get_traced_memory()[1] < 4 << 20
        finally:
            tracemalloc.stop()
    assert words == f"http://{host}/a has more than the 1000000 bytes that it may have"

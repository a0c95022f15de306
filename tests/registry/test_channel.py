import pytest
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer

from nixery.registry.site import IDLE
from tests.registry.wire import RECORD, Wire, World, parse

HELLO = bytes.fromhex("16030100a5010000a1")


@pytest.mark.parametrize("rest", [b"", b"\x00" * 200, b"\r\n\r\n"])
def test_a_client_that_tries_tls_first_is_refused_at_once(rest: bytes) -> None:
    wire = World().connect()
    wire.send(HELLO + rest)
    assert parse(wire.received).body == b"This port speaks HTTP, and not HTTPS.\n"
    assert wire.received.startswith(b"HTTP/1.0 400 ")
    assert wire.transport.disconnecting


def test_the_same_byte_later_is_no_handshake() -> None:
    wire = World().connect()
    wire.send(b"GET /v2/ HT")
    wire.send(b"\x16")
    assert b"not HTTPS" not in wire.received


GET = b"GET /v2/ HTTP/1.1\r\nHost: r\r\n"


@pytest.mark.parametrize(
    "options",
    [
        b"Connection: close, TE",
        b"Connection: TE,close",
        b"Connection: TE,\tClose ",
        b"Connection: TE\r\nConnection: close",
        b"Connection: \xff, close",
    ],
)
def test_rfc9112_9_6_close_is_seen_wherever_it_stands(options: bytes) -> None:
    wire = World().connect()
    wire.send(GET + options + b"\r\n\r\n")
    assert parse(wire.received).headers["Connection"] == "close"
    assert wire.transport.disconnecting


@pytest.mark.parametrize("options", [b"keep-alive", b"closed", b"\xff", b"x-close, close-x"])
def test_other_options_close_nothing(options: bytes) -> None:
    wire = World().connect()
    wire.send(GET + b"Connection: " + options + b"\r\nX-Connection: close\r\n\r\n")
    assert not wire.transport.disconnecting


@pytest.mark.parametrize("after", [b"", b"X: y\r\n"])
def test_a_length_of_more_digits_than_python_reads_is_refused(after: bytes) -> None:
    wire = World().connect()
    wire.send(GET + b"Content-Length: " + b"9" * 5000 + b"\r\n" + after + b"\r\n")
    assert parse(wire.received).status == 400


def channel(wire: Wire) -> IPushProducer:
    """What a full transport tells to pause."""
    return IPushProducer(wire.transport.producer)


def test_a_client_that_takes_no_answer_gets_no_further_one_begun() -> None:
    wire = World().connect()
    channel(wire).pauseProducing()
    wire.send((GET + b"\r\n") * 1000)
    assert wire.received == b""
    assert wire.transport.producerState == "paused"
    channel(wire).resumeProducing()
    assert wire.received.count(b"HTTP/1.1 200") == 1000
    wire.send(GET + b"\r\n")
    assert wire.received.count(b"HTTP/1.1 200") == 1001


@pytest.mark.parametrize("taken_first", [True, False])
def test_what_comes_during_an_answer_that_nobody_takes_is_bounded(taken_first: bool) -> None:
    world = World()
    world.images.waiting = Deferred()
    wire = world.wire("/v2/git/manifests/latest")
    channel(wire).pauseProducing()
    wire.send((GET + b"\r\n") * 10)
    assert wire.transport.producerState == "producing", "so that one who leaves is seen"
    wire.send((GET + b"\r\n") * 1000)
    assert wire.transport.producerState == "paused"
    if taken_first:
        channel(wire).resumeProducing()
    world.images.waiting.callback(RECORD)
    if not taken_first:
        assert wire.received.count(b"HTTP/1.1 200") == 1
        channel(wire).resumeProducing()
    assert wire.received.count(b"HTTP/1.1 200") == 1011
    assert wire.transport.producerState == "producing"


def test_a_build_that_is_asked_for_behind_another_request_may_take_its_time() -> None:
    world = World()
    first: Deferred[object] = Deferred()
    behind: Deferred[object] = Deferred()
    world.images.waiting = first
    wire = world.wire("/v2/git/manifests/latest")
    wire.send(b"GET /v2/htop/manifests/latest HTTP/1.1\r\nHost: r\r\n\r\n")
    world.images.waiting = behind
    first.callback(RECORD)
    world.clock.advance(2 * IDLE)
    assert not wire.transport.disconnecting
    behind.callback(RECORD)
    assert wire.received.count(b"HTTP/1.1 200") == 2

"""What HTTP asks of a server, by the sections of RFC 9110 and RFC 9112; and what is done to those who send anything."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from nixery.images.digest import Digest
from nixery.registry.site import IDLE
from tests.registry.wire import RECORD, Reply, Wire, World, parse

BLOB = f"/v2/git/blobs/{Digest.of(b'gzip')}"
ANSWERS = [
    ("/v2/", "GET", 200),
    ("/v2/", "PUT", 405),
    ("/v2/git/manifests/latest", "GET", 200),
    ("/v2/git/manifests/.x", "GET", 404),
    (f"/v2/git/manifests/{Digest.of(b'absent')}", "GET", 404),
    (BLOB, "GET", 200),
    (f"/v2/git/blobs/{Digest.of(b'absent')}", "GET", 404),
    ("/v2/git/tags/list", "GET", 200),
    (f"/v2/git/referrers/{Digest.of(b'absent')}", "GET", 200),
    ("/v2/_catalog", "GET", 404),
    ("/v2/nowhere", "GET", 404),
    ("/v2/%ff", "GET", 400),
]


def sent(data: bytes, world: World | None = None) -> Wire:
    """A connection on which these bytes came."""
    world = world or World()
    world.storage.blobs[Digest.of(b"gzip")] = b"gzip"
    wire = world.connect()
    wire.send(data)
    return wire


def answers(data: bytes) -> list[Reply]:
    """The answers in `data`, one after another: all have a length."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        found.append(parse(head + b"\r\n\r\n" + rest[:length]))
        data = rest[length:]
    return found


def refused(wire: Wire) -> None:
    """The one answer is a whole one in the registry's JSON, and the last."""
    reply = parse(wire.received)
    assert (reply.status, reply.headers["Content-Type"]) == (400, "application/json")
    assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert reply.headers["Server"].startswith("nixery/")
    assert reply.headers["Date"]
    [error] = json.loads(reply.body)["errors"]
    assert error["message"]


@pytest.mark.parametrize("extra", [b"", b"Connection: keep-alive\r\n", b"Host: r\r\n"])
@pytest.mark.parametrize("path", ["/v2/", "/v2/git/manifests/latest", BLOB, "/"])
def test_rfc9112_9_3_http_1_0_is_answered_and_the_connection_closed(path: str, extra: bytes) -> None:
    wire = sent(f"GET {path} HTTP/1.0\r\n".encode() + extra + b"\r\n")
    assert parse(wire.received).status == 200
    assert wire.transport.disconnecting


def test_rfc9112_9_6_a_connection_is_closed_where_the_client_wants_it() -> None:
    wire = sent(b"GET /v2/ HTTP/1.1\r\nHost: r\r\nConnection: close\r\n\r\n")
    assert parse(wire.received).headers["Connection"] == "close"
    assert wire.transport.disconnecting
    kept = sent(b"GET /v2/ HTTP/1.1\r\nHost: r\r\n\r\n")
    assert "Connection" not in parse(kept.received).headers
    assert not kept.transport.disconnecting


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("GET", 405), ("HEAD", 405), ("BREW", 405)])
def test_rfc9110_9_3_7_the_server_as_a_whole_has_options_and_nothing_else(method: str, status: int) -> None:
    world = World()
    wire = sent(f"{method} * HTTP/1.1\r\nHost: r\r\n\r\n".encode(), world)
    reply = parse(wire.received, method)
    assert (reply.status, reply.headers["Content-Length"], reply.body) == (status, "0", b"")
    wire.transport.clear()
    wire.send(b"GET /v2/ HTTP/1.1\r\nHost: r\r\n\r\n")
    assert parse(wire.received).status == 200


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n", b"Host: a\r\nHost: a\r\n"])
@pytest.mark.parametrize("path", ["/v2/", "/", "http://r/v2/"])
def test_rfc9112_3_2_http_1_1_without_one_host_is_refused(path: str, hosts: bytes) -> None:
    wire = sent(f"GET {path} HTTP/1.1\r\n".encode() + hosts + b"\r\n")
    refused(wire)
    assert b"Host header" in wire.received


def test_rfc9112_9_3_2_twenty_requests_at_once_are_answered_in_order() -> None:
    paths = ["/v2/", "/v2/git/manifests/latest", BLOB, "/v2/nowhere"] * 5
    wire = sent("".join(f"GET {path} HTTP/1.1\r\nHost: r\r\n\r\n" for path in paths).encode())
    replies = answers(wire.received)
    assert [reply.status for reply in replies] == [200, 200, 200, 404] * 5
    assert [reply.body for reply in replies[2::4]] == [b"gzip"] * 5


def test_rfc9112_9_3_2_a_request_waits_for_the_answer_to_the_one_before() -> None:
    world = World()
    world.images.waiting = Deferred()
    wire = sent(b"".join(b"GET /v2/%b HTTP/1.1\r\nHost: r\r\n\r\n" % path for path in (b"a/manifests/x", b"")), world)
    assert wire.received == b""
    world.images.waiting.callback(RECORD)
    assert [len(reply.body) > 2 for reply in answers(wire.received)] == [True, False]


def test_rfc9110_10_1_1_expect_on_get_still_gets_the_answer() -> None:
    wire = sent(b"GET /v2/ HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\n\r\n")
    before, _, answer = wire.received.rpartition(b"HTTP/1.1 200")
    assert before in (b"", b"HTTP/1.1 100 Continue\r\n\r\n")
    assert parse(b"HTTP/1.1 200" + answer).body == b"{}"


@pytest.mark.parametrize(("path", "method", "status"), ANSWERS)
def test_rfc9110_6_6_1_and_10_2_4_every_answer_has_its_date_and_server(path: str, method: str, status: int) -> None:
    for asked in (method, "HEAD" if method == "GET" else method):
        world = World()
        world.storage.blobs[Digest.of(b"gzip")] = b"gzip"
        reply = world.ask(path, asked)
        assert reply.status == status
        assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
        assert reply.headers["Server"].startswith("nixery/")
        assert reply.headers["Date"].endswith(" GMT")
        assert reply.headers["Content-Length"] is not None


@pytest.mark.parametrize("path", [BLOB, "/v2/git/manifests/latest"])
def test_rfc9110_15_4_5_what_has_not_changed_has_them_too(path: str) -> None:
    world = World()
    world.storage.blobs[Digest.of(b"gzip")] = b"gzip"
    reply = world.ask(path, If_None_Match="*")
    assert (reply.status, reply.headers["Docker-Distribution-Api-Version"]) == (304, "registry/2.0")
    assert reply.headers["Date"]


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET /v2/\r\n\r\n",
        b"GET  /v2/ HTTP/1.1\r\n\r\n",
        b"GET /v2/ x HTTP/1.1\r\n\r\n",
        b"GET /v2/ HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"G\x00T /v2/ HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\nHost: r\r\nno colon\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\nHost: r\r\nno colon\r\nmore: x\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\nHost : r\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\nHost: r\r\nA: \x00\r\n\r\n",
        b"PUT /v2/ HTTP/1.1\r\nHost: r\r\nContent-Length: -1\r\n\r\n",
        b"PUT /v2/ HTTP/1.1\r\nHost: r\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"PUT /v2/ HTTP/1.1\r\nHost: r\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PUT /v2/ HTTP/1.1\r\nHost: r\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /" + b"x" * 20_000,
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: r\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5_000,
    ],
)
def test_rfc9110_15_5_1_what_is_no_request_is_refused_with_a_whole_answer(data: bytes) -> None:
    wire = sent(data)
    refused(wire)
    assert parse(wire.received).headers["Connection"] == "close"
    assert wire.transport.disconnecting


@given(st.lists(st.sampled_from([b"GET ", b"/v2/", b" HTTP/1.1", b"\r\n", b"Host: r", b":", b"\n", b"\x00", b"x"])))
def test_whatever_comes_there_is_no_answer_without_its_length(parts: list[bytes]) -> None:
    for reply in answers(sent(b"".join(parts)).received):
        assert reply.status in (200, 400, 404)


def test_one_who_sends_a_byte_now_and_then_is_dropped_when_the_time_is_up() -> None:
    world = World()
    wire = world.connect()
    for byte in b"GET /v2/ HTTP/1.1\r\nHost: r\r\nX: " + b"y" * 1000:
        wire.send(bytes([byte]))
        world.clock.advance(1)
        if wire.transport.disconnecting:
            break
    assert world.clock.seconds() == IDLE


def test_one_who_sends_a_body_slowly_is_dropped_too() -> None:
    world = World()
    wire = sent(b"PUT /v2/ HTTP/1.1\r\nHost: r\r\nContent-Length: 1000\r\n\r\n", world)
    while not wire.transport.disconnecting:
        wire.send(b"x")
        world.clock.advance(1)
    assert world.clock.seconds() == IDLE


def test_a_request_has_its_full_time_after_the_one_before() -> None:
    world = World()
    wire = sent(b"GET /v2/ HTTP/1.1\r\nHost: r\r\n\r\n", world)
    world.clock.advance(IDLE - 1)
    wire.send(b"GET /v2/ HTTP/1.1\r\nHost: r\r\n\r\n")
    world.clock.advance(IDLE - 1)
    assert not wire.transport.disconnecting


@pytest.mark.parametrize("line", [b"GET /v2/ HTTP/1.0", b"nonsense"])
def test_one_who_never_takes_the_last_answer_is_cut_off(line: bytes) -> None:
    world = World()
    wire = sent(line + b"\r\n\r\n", world)
    assert wire.transport.disconnecting
    world.clock.advance(IDLE - 1)
    assert not wire.transport.disconnected
    world.clock.advance(1)
    assert wire.transport.disconnected

"""Whatever bytes come as a request target, the answer is a whole and polite one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.registry.root import parse_path
from tests.registry.wire import World, parse

TARGET_BYTES = bytes(range(33, 177))
PIECES = [
    b"/", b"//", b"/v2", b"/v2/", b"/manifests/", b"/blobs/", b"/tags/list", b"%", b"%2f",
    b"%ff", b"%00", b"..", b"$",
    b"'", b'"', b"?", b"#", b"sha256:", b"0" * 64, b"latest", b"git", b"<path:x>", b"{", b"}", b"%0d%0a", b"*",
    b"http:",
]  # fmt: skip

targets = st.lists(
    st.one_of(st.sampled_from(PIECES), st.binary(min_size=1, max_size=8).map(lambda b: bytes(33 + c % 144 for c in b))),
    min_size=1,
    max_size=20,
).map(b"".join)


@given(targets, st.sampled_from(["GET", "HEAD", "PUT", "get", "X"]))
def test_any_target_gets_a_whole_answer(target: bytes, method: str) -> None:
    for raw in (target, b"/v2/" + target, b"/v2/" + target + b"/manifests/latest"):
        reply = parse(World().wire(raw, method).received, method)
        assert reply.status < 500
        assert reply.headers["Content-Length"] is not None


@given(st.binary(max_size=200))
def test_any_bytes_at_all_get_an_answer_below_500_or_none(data: bytes) -> None:
    wire = World().connect()
    wire.send(b"GET " + data + b" HTTP/1.1\r\nHost: r\r\n\r\n")
    first = wire.received.split(b"\r\n", 1)[0]
    assert first == b"" or first.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4", b"HTTP/1.0 2", b"HTTP/1.0 4"))


@pytest.mark.parametrize("host", ["\xff\xfe", "a" * 100 + ".test", "..", "", "xn--\x80", "[::1", "a:b:c", "%00", "{x}"])
@pytest.mark.parametrize("path", ["/v2/", "/", "/v2/git/manifests/latest"])
def test_any_host_is_answered(host: str, path: str) -> None:
    assert World().ask(path, Host=host).status == 200


@pytest.mark.parametrize("target", ["ftp://r.test/v2/", "http:/v2/", "v2/", "*", "%2fv2/"])
def test_a_target_that_is_no_path_is_refused(target: str) -> None:
    assert World().ask(target).status in (400, 405)


@pytest.mark.parametrize("origin", ["http://r.test", "HTTP://r.test:80", "https://[::1]:8080", "http://"])
@pytest.mark.parametrize("path", ["/v2/", "/v2/git/manifests/latest?ns=docker.io", "/v2/git/tags/list?n=0"])
def test_a_target_in_absolute_form_is_its_path(origin: str, path: str) -> None:
    absolute, plain = World().ask(origin + path), World().ask(path)
    assert (absolute.status, absolute.body) == (200, plain.body)


def test_an_absolute_target_without_a_path_is_the_index_page() -> None:
    assert World().ask("http://r.test").body == World().ask("/").body


@pytest.mark.parametrize("target", ["http://good.test/", "HTTPS://good.test", "http://user:word@good.test/?x"])
def test_rfc9112_3_2_2_the_host_of_an_absolute_target_stands_for_that_of_the_header(target: str) -> None:
    page = World().ask(target, Host="other.test").body
    assert b"good.test/" in page
    assert b"other.test" not in page


@pytest.mark.parametrize(("target", "status"), [("/%76%32/", 200), ("/v2x/", 404), ("/v2%2f", 400), ("/v2;/", 404)])
def test_what_is_the_registrys_is_seen_by_the_segment(target: str, status: int) -> None:
    reply = World().ask(target)
    assert reply.status == status
    assert (reply.headers["Docker-Distribution-Api-Version"] is None) == (status == 404)


def test_segments_are_decoded_one_by_one() -> None:
    assert parse_path(b"/v2/a%3Ab/caf%C3%A9/") == ("v2", "a:b", "café", "")


def test_an_upload_is_read_past_and_kept_nowhere() -> None:
    wire = World().connect()
    wire.send(b"PUT /v2/git/manifests/latest HTTP/1.1\r\nHost: r\r\nContent-Length: 5000000\r\n\r\n")
    for _ in range(50):
        wire.send(b"x" * 100_000)
    assert parse(wire.received).status == 405


def test_a_form_is_not_parsed() -> None:
    wire = World().connect()
    head = (
        b"POST /v2/ HTTP/1.1\r\nHost: r\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 4\r\n\r\n"
    )
    wire.send(head + b"oops")
    assert parse(wire.received).status == 405


def test_one_connection_serves_one_request_after_another() -> None:
    wire = World().connect()
    wire.send(b"GET /v2/ HTTP/1.1\r\nHost: r\r\n\r\nGET /v2/Git/manifests/x HTTP/1.1\r\nHost: r\r\n\r\n")
    assert wire.received.count(b"HTTP/1.1 ") == 2
    assert not wire.transport.disconnecting


@pytest.mark.parametrize("name", ["Accept", "If-None-Match", "Range", "If-Range", "Origin", "X-Forwarded-For"])
@pytest.mark.parametrize("value", [b"\x80", b"\xff\xfe", "\u00e9".encode()])
def test_headers_may_hold_any_bytes(name: str, value: bytes) -> None:
    world = World()
    head = b"GET /v2/git/manifests/latest HTTP/1.1\r\nHost: r\r\n" + name.encode() + b": " + value + b"\r\n\r\n"
    wire = world.connect()
    wire.send(head + head)
    assert wire.received.count(b"HTTP/1.1 200 OK") == 2, "and the connection goes on"


def test_of_a_header_that_comes_twice_the_last_one_counts() -> None:
    world = World(origins=["https://tool.test"])
    wire = world.connect()
    wire.send(b"GET /v2/ HTTP/1.1\r\nHost: r\r\nOrigin: https://other.test\r\nOrigin: https://tool.test\r\n\r\n")
    assert parse(wire.received).headers["Access-Control-Allow-Origin"] == "https://tool.test"


@pytest.mark.parametrize("target", ["/" + "\x7f" * 8000, "x" * 8000, "/%ff" + "%41" * 2500])
def test_a_refusal_repeats_no_more_of_a_target_than_a_person_reads(target: str) -> None:
    reply = World().ask(target)
    assert reply.status == 400
    assert len(reply.body) < 2500

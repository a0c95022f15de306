"""The Fetch standard's CORS protocol, as a browser goes through it."""

import pytest

from nixery.images.digest import Digest
from tests.registry.wire import Reply, World

TOOL = "https://tool.example"
BLOB = f"/v2/git/blobs/{Digest.of(b'gzip')}"


def world(*origins: str) -> World:
    made = World(origins=origins)
    made.storage.blobs[Digest.of(b"gzip")] = b"gzip"
    return made


def cors(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name.startswith("Access-Control-")}


PATHS = ["/v2/", "/v2/git/manifests/latest", BLOB, "/v2/git/tags/list", "/v2/nowhere", "/v2/Git/tags/list"]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_said_unless_it_is_set(path: str) -> None:
    for method in ("GET", "OPTIONS"):
        reply = World().ask(path, method, Origin=TOOL, Access_Control_Request_Method="GET")
        assert cors(reply) == {}
        assert "Origin" not in reply.headers.get("Vary", "")


@pytest.mark.parametrize("path", PATHS)
def test_a_listed_origin_may_read_every_answer(path: str) -> None:
    reply = world(TOOL, "https://other.example").ask(path, Origin=TOOL)
    assert reply.headers["Access-Control-Allow-Origin"] == TOOL
    exposed = reply.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Docker-Content-Digest", "Link", "WWW-Authenticate", "Content-Range"} <= set(exposed)
    assert "Origin" in reply.headers.get_all("Vary", [])


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://tool.example.evil", "*", TOOL.upper(), ""])
def test_another_origin_may_not_and_the_answer_still_varies(origin: str) -> None:
    reply = world(TOOL).ask("/v2/", Origin=origin)
    assert (reply.status, cors(reply), reply.headers["Vary"]) == (200, {}, "Origin")


def test_an_answer_to_no_origin_varies_too() -> None:
    reply = world(TOOL).ask("/v2/git/manifests/latest")
    assert (cors(reply), reply.headers.get_all("Vary")) == ({}, ["Origin", "Accept"])


def test_any_origin_gets_one_and_the_same_answer() -> None:
    for headers in ({}, {"Origin": TOOL}, {"Origin": "null"}):
        reply = world("*").ask("/v2/", **headers)
        assert (reply.headers["Access-Control-Allow-Origin"], reply.headers["Vary"]) == ("*", None)


def test_a_part_and_what_has_not_changed_may_be_read_too() -> None:
    part = world("*").ask(BLOB, Origin=TOOL, Range="bytes=1-2")
    same = world("*").ask(BLOB, Origin=TOOL, If_None_Match=f'"{Digest.of(b"gzip")}"')
    assert [part.status, same.status] == [206, 304]
    assert [reply.headers["Access-Control-Allow-Origin"] for reply in (part, same)] == ["*", "*"]


@pytest.mark.parametrize("path", ["/v2/", "/v2/git/manifests/latest", BLOB])
def test_a_preflight_says_what_may_be_sent(path: str) -> None:
    asked = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "accept,range"}
    reply = world(TOOL).ask(path, "OPTIONS", Origin=TOOL, **asked)
    assert (reply.status, reply.body) == (204, b"")
    assert "Content-Length" not in reply.headers, "RFC 9110, 8.6"
    assert reply.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert reply.headers["Access-Control-Allow-Headers"] == "*, Authorization"
    assert reply.headers["Access-Control-Allow-Origin"] == TOOL
    assert reply.headers["Access-Control-Max-Age"] == "86400"
    assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_what_is_no_preflight_or_from_elsewhere_is_unsupported_as_ever() -> None:
    assert world(TOOL).ask("/v2/", "OPTIONS", Origin=TOOL).status == 405
    assert world(TOOL).ask("/v2/", "OPTIONS", Access_Control_Request_Method="GET").status == 405
    assert world(TOOL).ask("/v2/", "OPTIONS", Origin="null", Access_Control_Request_Method="GET").status == 405


def test_the_pages_are_nobodys_to_read() -> None:
    assert cors(world("*").ask("/", Origin=TOOL)) == {}

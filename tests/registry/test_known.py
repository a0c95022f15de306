"""What is known is answered as the routes answer it."""

from collections.abc import Sequence

import pytest
from twisted.logger import LogEvent, formatEvent

from nixery.images.digest import Digest
from nixery.images.index import IndexFormat
from nixery.images.manifest import Format
from nixery.images.name import Platform
from tests.registry.known_world import BY_DIGEST, LATEST, OCI, Client
from tests.registry.wire import Wire, parse

ACCEPT = f"Accept: {Format.OCI.value}"
REQUESTS: list[tuple[str, str, tuple[str, ...]]] = [
    ("GET", LATEST, ()),
    ("GET", LATEST, (ACCEPT,)),
    ("GET", LATEST, (f"Accept: {Format.DOCKER.value}", ACCEPT)),
    ("GET", LATEST, (f"Accept: {IndexFormat.OCI.value}, {Format.OCI.value};q=0.5",)),
    ("GET", LATEST, ("Accept: \xe9",)),
    ("HEAD", LATEST, (ACCEPT,)),
    ("GET", LATEST, (ACCEPT, f'If-None-Match: "{Digest.of(OCI)}"')),
    ("HEAD", LATEST, (ACCEPT, f'If-None-Match: W/"x", "{Digest.of(OCI)}"')),
    ("GET", LATEST, (ACCEPT, 'If-None-Match: "sha256:other"')),
    ("GET", LATEST, (ACCEPT, "If-None-Match: *")),
    ("GET", LATEST, (ACCEPT, "Range: bytes=0-3")),
    ("GET", LATEST, (ACCEPT, "Connection: close")),
    ("GET", LATEST, (ACCEPT, "Origin: https://tool.test")),
    ("GET", LATEST, (ACCEPT, "Origin: https://evil.test")),
    ("GET", LATEST, (ACCEPT, "Authorization: Basic Zm9vOmJhcg==", "Cookie: a=b")),
    ("GET", f"{LATEST}?ns=docker.io", (ACCEPT,)),
    ("GET", LATEST.replace("git", "gi%74"), (ACCEPT,)),
    ("GET", f"http://other.test{LATEST}", (ACCEPT,)),
    ("GET", BY_DIGEST, ()),
    ("GET", BY_DIGEST.replace(":", "%3A"), (ACCEPT,)),
    ("HEAD", BY_DIGEST, ()),
    ("GET", BY_DIGEST, (f'If-None-Match: "{Digest.of(OCI)}"',)),
]


@pytest.mark.parametrize("platforms", [(Platform.AMD64,), (Platform.AMD64, Platform.ARM64)], ids=["image", "index"])
@pytest.mark.parametrize(("method", "target", "lines"), REQUESTS)
def test_both_ways_answer_and_log_the_same(
    method: str, target: str, lines: tuple[str, ...], platforms: tuple[Platform, ...], events: Sequence[LogEvent]
) -> None:
    client = Client()
    client.images.platforms = platforms
    client.world.origins = ("https://tool.test",)
    client.connect()
    by_routes = client.raw(target, *lines, method=method)
    if "Connection: close" in lines:
        client.wire = Wire(client.wire.site)
    known = client.raw(target, *lines, method=method)
    assert client.images.times == 1, "the second answer did not come from the routes"
    assert known == by_routes
    assert parse(known, method).status in (200, 304)
    logged = [formatEvent(event) for event in events if event["log_namespace"] == "nixery.registry.access"]
    assert len(logged) == 2
    assert logged[0] == logged[1]


@pytest.mark.parametrize(("method", "target", "lines"), REQUESTS)
def test_what_a_get_left_known_serves_a_head_as_the_routes_do(method: str, target: str, lines: tuple[str, ...]) -> None:
    kept = [line for line in lines if line != "Connection: close"]
    client, other = Client(), Client()
    client.ask(target, *kept)
    assert client.raw(target, *kept, method="HEAD") == other.raw(target, *kept, method="HEAD")
    assert client.images.times == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"])
def test_other_methods_are_refused_all_the_same(method: str) -> None:
    client, other = Client(), Client()
    client.ask(LATEST)
    assert client.raw(LATEST, method=method) == other.raw(LATEST, method=method)


def test_a_preflight_is_answered_all_the_same() -> None:
    client = Client()
    client.world.origins = ("https://tool.test",)
    client.connect()
    client.ask(LATEST)
    asked = ("Origin: https://tool.test", "Access-Control-Request-Method: GET")
    assert client.ask(LATEST, *asked, method="OPTIONS").status == 204


def test_a_host_is_asked_for_all_the_same() -> None:
    client = Client()
    client.ask(LATEST)
    assert client.ask(LATEST, "Host: another.test").status == 400

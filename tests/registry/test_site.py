from collections.abc import Sequence

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, formatEvent
from twisted.python.failure import Failure

from nixery.images.digest import Digest
from nixery.pages.resource import Pages
from nixery.registry.site import Drain
from tests.registry.wire import World


def lines(events: Sequence[LogEvent]) -> list[str]:
    return [formatEvent(event) for event in events if event["log_namespace"] == "nixery.registry.access"]


def test_a_request_is_one_line(events: Sequence[LogEvent]) -> None:
    World().ask("/v2/?token=secret")
    assert lines(events) == ["192.0.2.7 GET /v2/ 200 2 bytes 0.000 s"]


def test_what_a_line_says_is_there_for_programs_too(events: Sequence[LogEvent]) -> None:
    World().ask("/v2/", method="HEAD")
    (event,) = [event for event in events if event["log_namespace"] == "nixery.registry.access"]
    said = ("client", "method", "path", "status", "bytes")
    assert [event[field] for field in said] == ["192.0.2.7", "HEAD", "/v2/", 200, 0]


def test_a_blobs_line_counts_its_bytes(events: Sequence[LogEvent]) -> None:
    world = World()
    world.storage.blobs[Digest.of(b"gzip")] = b"gzip"
    world.ask(f"/v2/git/blobs/{Digest.of(b'gzip')}")
    assert lines(events) == [f"192.0.2.7 GET /v2/git/blobs/{Digest.of(b'gzip')} 200 4 bytes 0.000 s"]


def test_what_a_client_writes_cannot_forge_or_colour_a_line(events: Sequence[LogEvent]) -> None:
    World().ask(b"/v2/{x}\x7f\x9b%0aGET")
    assert lines(events)[0].startswith("192.0.2.7 GET /v2/{x}\\x7f\\x9b%0aGET 400 ")


def test_a_client_that_left_is_noted(events: Sequence[LogEvent]) -> None:
    world = World()
    world.images.waiting = Deferred(lambda _: None)
    wire = world.wire("/v2/git/manifests/latest")
    world.clock.advance(7.5)
    wire.lose()
    assert lines(events) == ["192.0.2.7 GET /v2/git/manifests/latest - 0 bytes 7.500 s (client left)"]


def test_http_2_is_never_spoken() -> None:
    site = World().connect()._protocol.site
    assert site.acceptableProtocols() == [b"http/1.1"]


def test_stopping_waits_for_the_requests_under_way() -> None:
    world = World()
    world.images.waiting = Deferred(lambda _: None)
    wire = world.wire("/v2/git/manifests/latest")
    drained = Drain(wire.site, world.clock).stopService()
    assert not drained.called
    wire.lose()
    assert drained.called
    assert world.clock.getDelayedCalls() == []
    assert Drain(wire.site, world.clock).stopService().called, "nothing is under way"


def test_stopping_waits_no_longer_than_it_may() -> None:
    world = World()
    world.images.waiting = Deferred(lambda _: None)
    wire = world.wire("/v2/git/manifests/latest")
    drained = Drain(wire.site, world.clock, seconds=10).stopService()
    world.clock.advance(9.9)
    assert not drained.called
    world.clock.advance(0.1)
    assert drained.called
    assert not isinstance(drained.result, Failure), "as a service that stops does not fail"


def test_what_is_under_way_then_is_cut_off() -> None:
    world = World()
    world.images.waiting = Deferred(lambda _: None)
    wire = world.wire("/v2/git/manifests/latest")
    Drain(wire.site, world.clock, seconds=10).stopService()
    world.clock.advance(10)
    assert wire.transport.disconnected


def test_a_line_is_bounded(events: Sequence[LogEvent]) -> None:
    World().ask("/v2/" + "a" * 8000 + "/manifests/latest")
    assert 1000 < len(lines(events)[0]) < 1100


def test_what_fails_unexpectedly_shows_a_client_no_traceback(
    monkeypatch: pytest.MonkeyPatch, failures: list[BaseException]
) -> None:
    failures.append(ZeroDivisionError("secret"))

    def fail(*_: object) -> int:
        raise failures[0]

    monkeypatch.setattr(Pages, "render", fail)
    reply = World().ask("/")
    assert reply.status == 500
    assert b"secret" not in reply.body
    assert b"Traceback" not in reply.body

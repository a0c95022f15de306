from twisted.internet.defer import Deferred

from tests.registry.wire import RECORD, World, parse


def test_fault_4_a_client_that_leaves_ends_its_wait_quietly() -> None:
    world = World()
    cancelled: list[object] = []
    world.images.waiting = Deferred(cancelled.append)
    wire = world.wire("/v2/git/manifests/latest")
    assert (wire.received, cancelled) == (b"", [])
    wire.lose()
    assert len(cancelled) == 1
    assert wire.received == b""


def test_a_client_that_waits_gets_the_image_when_it_is_there() -> None:
    world = World()
    world.images.waiting = Deferred()
    wire = world.wire("/v2/git/manifests/latest")
    world.clock.advance(300)
    assert not wire.transport.disconnecting
    world.images.waiting.callback(RECORD)
    assert parse(wire.received).status == 200


def test_an_idle_connection_is_dropped() -> None:
    world = World()
    wire = world.wire("/v2/")
    world.clock.advance(59)
    assert not wire.transport.disconnecting
    world.clock.advance(2)
    assert wire.transport.disconnecting

"""Pins: how long a ref is taken to be where it was seen, and who shares that."""

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from nixery.images.name import Tag
from nixery.sources.interfaces import Origin
from nixery.sources.pins import Pins
from tests.sources.pins_world import COMMIT, LATEST, TTL, Place, World, pin


@pytest.fixture
def world() -> World:
    return World()


@pytest_twisted.ensureDeferred
async def test_a_ref_is_looked_up_once_a_ttl(world: World) -> None:
    assert await pin(world.pins) == "one"
    world.place.refs["latest"] = "two"
    world.clock.advance(TTL - 1)
    assert await pin(world.pins) == "one"
    world.clock.advance(1)
    assert await pin(world.pins) == "two"
    assert world.place.looks == ["latest"] * 2


@pytest_twisted.ensureDeferred
async def test_fifty_that_ask_at_once_cost_one_look_and_one_that_leaves_disturbs_none(world: World) -> None:
    go: Deferred[None] = Deferred()
    world.place.go = go
    asked = [Deferred.fromCoroutine(world.pins.pin(LATEST)) for _ in range(50)]
    asked[0].addErrback(lambda _: None).cancel()
    go.callback(None)
    assert {(await each).pin for each in asked[1:]} == {"one"}
    assert world.place.looks == ["latest"]


@pytest_twisted.ensureDeferred
async def test_a_restart_forgets_nothing_and_instances_agree(world: World) -> None:
    await world.pins.pin(LATEST)
    world.clock.advance(100)
    world.place.refs["latest"] = "two"
    other = world.instance()
    assert await pin(other) == "one"
    world.clock.advance(TTL - 100)
    assert [await pin(other), await pin(world.pins)] == ["two", "two"]
    assert world.place.looks == ["latest"] * 2


@pytest_twisted.ensureDeferred
async def test_of_two_that_look_at_once_the_slower_takes_what_the_faster_found(world: World) -> None:
    slow: Deferred[None] = Deferred()
    world.place.go = slow
    first = Deferred.fromCoroutine(world.pins.pin(LATEST))
    world.place.go = None
    world.place.refs["latest"] = "two"
    assert await pin(world.instance()) == "two"
    world.place.refs["latest"] = "three"
    slow.callback(None)
    assert (await first).pin == "two"


@pytest_twisted.ensureDeferred
async def test_two_refs_that_are_asked_for_at_once_are_looked_up_each(world: World) -> None:
    world.place.refs["main"] = "two"
    go: Deferred[None] = Deferred()
    world.place.go = go
    asked = [Deferred.fromCoroutine(world.pins.pin(tag)) for tag in (LATEST, Tag("main"))]
    go.callback(None)
    assert [(await each).pin for each in asked] == ["one", "two"]


@pytest_twisted.ensureDeferred
async def test_upstreams_that_share_the_storage_do_not_share_their_refs(world: World) -> None:
    await world.pins.pin(LATEST)
    other = Place(world.clock)
    other.words, other.refs["latest"] = "another place", "two"
    assert await pin(Pins(other, world.storage, world.clock, TTL)) == "two"


@pytest_twisted.ensureDeferred
async def test_a_commit_never_expires(world: World) -> None:
    assert world.pins.lasting(COMMIT), "it is not known yet"
    assert await pin(world.pins, COMMIT) == COMMIT.text
    world.clock.advance(100 * TTL)
    assert [await pin(world.pins, COMMIT), await pin(world.instance(), COMMIT)] == [COMMIT.text] * 2
    assert world.place.looks == [COMMIT.text]
    assert not world.pins.lasting(COMMIT)
    assert world.pins.lasting(LATEST)
    assert world.pins.origin == Origin("a place", refs=True)


@pytest_twisted.ensureDeferred
async def test_a_clock_that_is_far_ahead_does_not_hold_a_pin_for_ever(world: World) -> None:
    world.clock.advance(10 * TTL)
    await world.pins.pin(LATEST)
    world.clock.rightNow -= 10 * TTL
    world.place.refs["latest"] = "two"
    assert await pin(world.instance()) == "two"


@pytest_twisted.ensureDeferred
async def test_what_can_be_named_is_the_upstreams(world: World) -> None:
    assert await world.pins.tags() == ["latest", "main"]


@pytest_twisted.ensureDeferred
async def test_an_earlier_pin_is_had_again_without_a_look(world: World) -> None:
    assert (await world.pins.again("zero")).pin == "zero"
    assert world.place.looks == []


@pytest_twisted.ensureDeferred
async def test_what_a_ref_means_is_known_without_waiting_for_a_ttl(world: World) -> None:
    assert world.pins.current(LATEST) is None
    pinned = await world.pins.pin(LATEST)
    world.clock.advance(TTL - 1)
    assert world.pins.current(LATEST) == pinned
    assert world.pins.current(Tag("main")) is None
    world.clock.advance(1)
    assert world.pins.current(LATEST) is None
    assert world.place.looks == ["latest"]


@pytest_twisted.ensureDeferred
async def test_what_has_to_be_fetched_again_is_not_known_without_waiting(world: World) -> None:
    await world.pins.pin(LATEST)
    world.place.gone.add("one")
    assert world.pins.current(LATEST) is None


@pytest_twisted.ensureDeferred
async def test_without_a_ttl_nothing_is_known_without_waiting(world: World) -> None:
    pins = world.instance(ttl=0)
    await pins.pin(LATEST)
    assert pins.current(LATEST) is None

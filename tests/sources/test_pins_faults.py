"""Pins where an upstream, a record or the storage fails."""

import json

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from nixery.errors import ManifestUnknown, SourceUnavailable, StorageUnavailable
from nixery.images.name import Tag
from tests.sources.pins_world import COMMIT, LATEST, TTL, World, pin

HUGE = b'{"pin": "x", "seen": %s}' % (b"9" * 400)


@pytest.fixture
def world() -> World:
    return World()


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_had_is_not_recorded(world: World) -> None:
    world.place.cannot_have.add("one")
    with pytest.raises(SourceUnavailable, match="one cannot be fetched"):
        await world.pins.pin(LATEST)
    assert world.storage.records == {}


@pytest_twisted.ensureDeferred
async def test_an_unknown_ref_leaves_nothing_behind(world: World) -> None:
    with pytest.raises(ManifestUnknown):
        await world.pins.pin(Tag("nope"))
    assert world.storage.records == {}


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_failed_is_left_alone_for_a_moment(world: World) -> None:
    world.place.fails = SourceUnavailable("silent")
    for _ in range(3):
        with pytest.raises(SourceUnavailable, match="silent"):
            await world.pins.pin(LATEST)
    assert world.place.looks == ["latest"]
    world.clock.advance(15)
    world.place.fails = None
    assert await pin(world.pins) == "one"


@pytest_twisted.ensureDeferred
async def test_without_a_ttl_each_request_looks_also_after_a_failure(world: World) -> None:
    pins = world.instance(0)
    world.place.fails = SourceUnavailable("silent")
    with pytest.raises(SourceUnavailable):
        await pins.pin(LATEST)
    world.place.fails = None
    assert [await pin(pins), await pin(pins)] == ["one", "one"]
    world.place.refs["latest"] = "two"
    assert await pin(pins) == "two"
    assert len(world.place.looks) == 4


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"[]",
        b'{"pin": 1, "seen": 0}',
        b'{"pin": "x"}',
        b"\xff",
        b'{"pin": "x", "seen": "now"}',
        b"[" * 100_000,
        HUGE,
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_record_that_nobody_can_read_is_written_anew(world: World, found: bytes) -> None:
    await world.pins.pin(LATEST)
    (name,) = world.storage.records
    world.storage.records[name] = found
    assert await pin(world.instance()) == "one"
    assert json.loads(world.storage.records[name])["pin"] == "one"


@pytest_twisted.ensureDeferred
async def test_a_storage_that_takes_nothing_stops_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(name: str, data: bytes) -> bool:
        raise StorageUnavailable("no space left")

    monkeypatch.setattr(world.storage, "create_record", full)
    assert [await pin(world.pins), await pin(world.pins)] == ["one", "one"]
    assert world.place.looks == ["latest"]


@pytest.mark.parametrize("seen", ["null", "1800000000"])
@pytest_twisted.ensureDeferred
async def test_a_record_whose_pin_is_gone_is_looked_up_anew(world: World, seen: str) -> None:
    await world.pins.pin(LATEST)
    (name,) = world.storage.records
    world.storage.records[name] = b'{"pin": "old", "seen": %s}' % seen.encode()
    world.place.gone.add("old")
    assert await pin(world.instance()) == "one"
    assert json.loads(world.storage.records[name])["pin"] == "one"


@pytest_twisted.ensureDeferred
async def test_a_ref_that_was_moved_by_force_between_look_and_fetch_is_no_verdict(world: World) -> None:
    world.place.gone.add("one")
    with pytest.raises(SourceUnavailable, match="'latest' was seen at what is gone: there is no one"):
        await world.pins.pin(LATEST)
    world.place.gone.add(COMMIT.text)
    with pytest.raises(ManifestUnknown):
        await world.pins.pin(COMMIT)


@pytest_twisted.ensureDeferred
async def test_content_that_cannot_be_had_is_left_alone_for_a_moment_too(world: World) -> None:
    await world.pins.pin(COMMIT)
    world.place.cannot_have.add(COMMIT.text)
    had = len(world.place.had)
    for _ in range(3):
        with pytest.raises(SourceUnavailable):
            await world.pins.pin(COMMIT)
        assert world.pins.lasting(COMMIT), "each time the last good image may be served"
    assert len(world.place.had) == had + 1
    world.place.cannot_have.clear()
    world.clock.advance(15)
    assert await pin(world.pins, COMMIT) == COMMIT.text
    assert not world.pins.lasting(COMMIT)


@pytest_twisted.ensureDeferred
async def test_of_refs_that_nobody_has_seen_so_many_are_looked_up_at_once(world: World) -> None:
    main = Tag("main")
    await world.pins.pin(main)
    world.clock.advance(TTL)
    go = world.place.go = Deferred()
    asked = [Deferred.fromCoroutine(world.pins.pin(Tag(f"t{number}"))) for number in range(200)]
    one_more = Deferred.fromCoroutine(world.pins.pin(Tag("t200")))
    assert one_more.called
    with pytest.raises(SourceUnavailable, match="200 refs of a place are being looked up: ask again later"):
        await one_more
    known = [Deferred.fromCoroutine(world.pins.pin(tag)) for tag in (LATEST, main)]
    go.callback(None)
    assert [(await each).pin for each in known] == ["one", "one"]
    for each in asked:
        with pytest.raises(ManifestUnknown):
            await each

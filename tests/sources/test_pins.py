"""Pins over an upstream that the test steers, and storage that instances share."""

import json

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.errors import ManifestUnknown, SourceUnavailable, StorageUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import Sighting
from nixery.sources.pins import Pins
from nixery.storage.memory import MemoryStorage

LATEST = Tag("latest")
COMMIT = Tag("c" * 40)
TTL = 300.0
HUGE = b'{"pin": "x", "seen": %s}' % (b"9" * 400)


class Place:
    """An upstream: what its refs are, what it has, and what it was asked."""

    words = "a place"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.refs = {"latest": "one", "main": "one"}
        self.looks: list[str] = []
        self.had: list[str] = []
        self.go: Deferred[None] | None = None
        self.fails: Exception | None = None
        self.cannot_have: set[str] = set()
        self.gone: set[str] = set()

    async def tags(self) -> list[str]:
        return list(self.refs)

    async def look(self, tag: Tag) -> Sighting:
        self.looks.append(tag.text)
        asked = self.clock.seconds()
        if self.go is not None:
            await self.go
        if self.fails is not None:
            raise self.fails
        if tag == COMMIT:
            return Sighting(tag.text, None)
        if tag.text not in self.refs:
            raise ManifestUnknown(f"no {tag.text}")
        return Sighting(self.refs[tag.text], asked)

    async def have(self, pin: str) -> PinnedSource:
        self.had.append(pin)
        if pin in self.cannot_have:
            raise SourceUnavailable(f"{pin} cannot be fetched")
        if pin in self.gone:
            raise ManifestUnknown(f"there is no {pin}")
        return PinnedSource("place", pin, "/set")


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.storage = MemoryStorage()
        self.place = Place(self.clock)
        self.pins = self.instance()

    def instance(self, ttl: float = TTL) -> Pins:
        return Pins(self.place, self.storage, self.clock, ttl)


@pytest.fixture
def world() -> World:
    return World()


async def pin(pins: Pins, tag: Tag = LATEST) -> str:
    return (await pins.pin(tag)).pin


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
    assert world.pins.lasting(COMMIT) == "a place", "it is not known yet"
    assert await pin(world.pins, COMMIT) == COMMIT.text
    world.clock.advance(100 * TTL)
    assert [await pin(world.pins, COMMIT), await pin(world.instance(), COMMIT)] == [COMMIT.text] * 2
    assert world.place.looks == [COMMIT.text]
    assert world.pins.lasting(COMMIT) is None
    assert world.pins.lasting(LATEST) == "a place"


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


@pytest_twisted.ensureDeferred
async def test_a_clock_that_is_far_ahead_does_not_hold_a_pin_for_ever(world: World) -> None:
    world.clock.advance(10 * TTL)
    await world.pins.pin(LATEST)
    world.clock.rightNow -= 10 * TTL
    world.place.refs["latest"] = "two"
    assert await pin(world.instance()) == "two"


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


@pytest_twisted.ensureDeferred
async def test_what_can_be_named_is_the_upstreams(world: World) -> None:
    assert await world.pins.tags() == ["latest", "main"]


@pytest_twisted.ensureDeferred
async def test_an_earlier_pin_is_had_again_without_a_look(world: World) -> None:
    assert (await world.pins.again("zero")).pin == "zero"
    assert world.place.looks == []


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
        assert world.pins.lasting(COMMIT) == "a place", "each time the last good image may be served"
    assert len(world.place.had) == had + 1
    world.place.cannot_have.clear()
    world.clock.advance(15)
    assert await pin(world.pins, COMMIT) == COMMIT.text
    assert world.pins.lasting(COMMIT) is None


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

"""Pins over an upstream that the test steers, and storage that instances share."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.errors import ManifestUnknown, SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import Sighting
from nixery.sources.pins import Pins
from nixery.storage.memory import MemoryStorage

LATEST = Tag("latest")
COMMIT = Tag("c" * 40)
TTL = 300.0


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


async def pin(pins: Pins, tag: Tag = LATEST) -> str:
    return (await pins.pin(tag)).pin

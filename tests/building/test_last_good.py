"""Last good states that instances with clocks of their own record in one storage."""

import pytest_twisted
from twisted.internet.task import Clock

from nixery.building.last_good import LastGood, Wanted
from nixery.images.name import ImageName, Platform, Tag
from nixery.storage.memory import MemoryStorage

WANTED = Wanted("a place", Tag("latest"), ImageName.parse("amd64/hello"), (Platform.AMD64,))


@pytest_twisted.ensureDeferred
async def test_what_another_instance_found_later_stands() -> None:
    storage, early, late = MemoryStorage(), Clock(), Clock()
    early.advance(1_800_000_000)
    late.advance(1_800_000_005)
    await LastGood(storage, late, 100).remember(WANTED, "two", "key two")
    slow = LastGood(storage, early, 100)
    await slow.remember(WANTED, "one", "key one")
    assert [good.pin for good in await slow.states(WANTED)] == ["two"]

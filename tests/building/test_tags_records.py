"""The records of what was last good: when they are written, and what becomes of those that nobody can go by."""

import json
import re

import pytest
import pytest_twisted

from nixery.errors import (
    SourceUnavailable,
    StorageUnavailable,
)
from tests.building.world import DAY, REFUSED, World


@pytest_twisted.ensureDeferred
async def test_what_is_recorded_is_neither_read_nor_written_at_each_request(
    moving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await moving.ask()
    recorded, read, names = dict(moving.storage.records), moving.storage.read_record, set[str]()

    async def noting(name: str) -> bytes | None:
        names.add(name.rpartition("/")[0])
        return await read(name)

    monkeypatch.setattr(moving.storage, "read_record", noting)
    moving.clock.advance(DAY / 100)
    assert await moving.ask() == good
    assert (names, moving.storage.records) == ({"v1/images"}, recorded)
    moving.clock.advance(1)
    assert await moving.ask() == good
    assert moving.storage.records != recorded, "as the state is the newest for longer"


@pytest.mark.parametrize("at", ["1e400", "1e300", "9" * 400, "9e9", "-1e300", "NaN", "[" * 100_000, "true"])
@pytest_twisted.ensureDeferred
async def test_a_record_of_an_impossible_time_is_neither_served_nor_in_the_way(moving: World, at: str) -> None:
    await moving.ask()
    for name in [name for name in moving.storage.records if name.startswith("v1/tags/")]:
        said = moving.storage.records[name].decode()
        moving.storage.records[name] = re.sub('"at":[^,}]*', f'"at":{at}', said).encode()
    moving.tags = moving.restarted()
    moving.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="none was served before"):
        await moving.ask()
    moving.source.fails = None
    moving.move()
    new = await moving.ask()
    moving.source.fails = REFUSED
    assert await moving.ask() == new


@pytest.mark.parametrize(("field", "value"), [("key", "../../../etc/passwd"), ("pin", "one\n\x1b[31m"), ("key", 5)])
@pytest_twisted.ensureDeferred
async def test_a_record_that_could_name_or_say_anything_counts_as_none(
    moving: World, field: str, value: str | int
) -> None:
    await moving.ask()
    for name in [name for name in moving.storage.records if name.startswith("v1/tags/")]:
        said = json.loads(moving.storage.records[name])
        moving.storage.records[name] = json.dumps({**said, field: value}).encode()
    moving.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="none was served before"):
        await moving.ask()


@pytest_twisted.ensureDeferred
async def test_a_clock_that_was_set_back_does_not_keep_newer_states_from_being_recorded(moving: World) -> None:
    await moving.ask()
    moving.clock.rightNow -= 0.5 * DAY
    moving.move()
    moving.tags = moving.restarted()
    new = await moving.ask()
    moving.source.fails = REFUSED
    assert await moving.ask() == new


@pytest_twisted.ensureDeferred
async def test_a_full_storage_does_not_stop_a_pull(moving: World, monkeypatch: pytest.MonkeyPatch) -> None:
    good = await moving.ask()
    moving.tags = moving.restarted()

    async def full(name: str, *data: bytes) -> bool:
        raise StorageUnavailable("no space left")

    monkeypatch.setattr(moving.storage, "create_record", full)
    assert await moving.ask() == good


@pytest_twisted.ensureDeferred
async def test_what_a_full_storage_did_not_take_is_recorded_at_the_next_pull(
    moving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = moving.storage.create_record

    async def full(name: str, data: bytes) -> bool:
        if name.startswith("v1/tags/"):
            raise StorageUnavailable("no space left")
        return await create(name, data)

    with monkeypatch.context() as at_first:
        at_first.setattr(moving.storage, "create_record", full)
        good = await moving.ask()
    await moving.ask()
    moving.source.fails = REFUSED
    assert await moving.ask() == good
    assert moving.source.asked == [], "found by its own record"

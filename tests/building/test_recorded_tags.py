"""Reading the tags of a package set; what is among them is in test_stored."""

import json
from collections.abc import Collection, Sequence

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from nixery.building import recorded_tags
from nixery.building.last_good import hashed
from nixery.building.recorded_tags import RecordedTags
from nixery.errors import StorageUnavailable
from nixery.storage.memory import MemoryStorage
from tests.storage.slow import SlowToRead

TAGS = ["a", "b", "c", "d", "e"]


class Listed(MemoryStorage):
    """Counts the pages that are asked for."""

    pages = 0

    async def list_records(self, folder: str, after: str, most: int) -> Sequence[str]:
        self.pages += 1
        return await super().list_records(folder, after, most)


def name(tag: str) -> str:
    """Of its record."""
    return f"v1/tags/{hashed('here')}.{hashed(tag)}.any"


def record(storage: MemoryStorage) -> None:
    """Record the tags."""
    for tag in TAGS:
        storage.records[name(tag)] = json.dumps({"tag": tag}).encode()


@pytest.fixture
def storage() -> SlowToRead:
    """Five tags are recorded in it."""
    storage = SlowToRead()
    record(storage)
    return storage


def test_they_are_read_once_for_however_many_ask_as_many_at_a_time_as_the_storage_takes(storage: SlowToRead) -> None:
    recorded, had = RecordedTags(storage, "here"), list[Collection[str]]()
    first, *others = [Deferred.fromCoroutine(recorded.tags()) for _ in range(3)]
    first.addErrback(lambda gone: None)
    first.cancel()
    for other in others:
        other.addCallback(had.append)
    for number in range(5):
        assert len(storage.asked) == min(3 + number, 5)
        storage.asked[number].callback(None)
    assert [sorted(tags) for tags in had] == [TAGS, TAGS]


@pytest_twisted.ensureDeferred
async def test_what_could_not_be_read_is_read_by_those_who_ask_later(storage: SlowToRead) -> None:
    recorded = RecordedTags(storage, "here")
    work = Deferred.fromCoroutine(recorded.tags())
    for asked in list(storage.asked):
        asked.errback(StorageUnavailable("the bucket is gone"))
    with pytest.raises(StorageUnavailable):
        await work
    del storage.asked[:]
    again = Deferred.fromCoroutine(recorded.tags())
    for asked in storage.asked:
        asked.callback(None)
    assert sorted(await again) == TAGS


@pytest.mark.parametrize(
    ("most", "page", "tags", "pages"), [(3, 2, 3, 2), (4, 2, 4, 2), (9, 1, 5, 6), (9, 4, 5, 2), (9, 9, 5, 1)]
)
@pytest_twisted.ensureDeferred
async def test_no_more_pages_are_read_than_tags_are_listed_from(
    monkeypatch: pytest.MonkeyPatch, most: int, page: int, tags: int, pages: int
) -> None:
    monkeypatch.setattr(recorded_tags, "MOST", most)
    monkeypatch.setattr(recorded_tags, "_PAGE", page)
    storage = Listed()
    record(storage)
    for other in "0zzz":
        storage.records[f"v1/tags/{other * 32}.{len(storage.records)}.any"] = b"{}"
    assert len(await RecordedTags(storage, "here").tags()) == tags
    assert storage.pages == pages


@pytest_twisted.ensureDeferred
async def test_a_tag_whose_record_is_gone_is_listed_no_more() -> None:
    storage = MemoryStorage()
    record(storage)
    recorded = RecordedTags(storage, "here")
    assert sorted(await recorded.tags()) == TAGS
    del storage.records[name("c")]
    assert sorted(await recorded.tags()) == ["a", "b", "d", "e"]


@pytest_twisted.ensureDeferred
async def test_what_is_no_word_is_no_tag() -> None:
    storage = MemoryStorage()
    storage.records[f"v1/tags/{hashed('here')}.{hashed(5)}.any"] = b'{"tag": 5}'
    assert await RecordedTags(storage, "here").tags() == []

"""Reading the tags of a package set; what is among them is in test_stored."""

import json
from collections.abc import Collection

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from nixery.building.last_good import hashed
from nixery.building.recorded_tags import RecordedTags
from nixery.errors import StorageUnavailable
from tests.storage.slow import SlowToRead

TAGS = ["a", "b", "c", "d", "e"]


@pytest.fixture
def storage() -> SlowToRead:
    """Five tags are recorded in it."""
    storage = SlowToRead()
    for tag in TAGS:
        storage.records[f"v1/tags/{hashed('here')}.{hashed(tag)}.any"] = json.dumps({"tag": tag}).encode()
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

"""What is remembered of blobs in a bucket while they change, and what it is asked meanwhile."""

from collections.abc import Callable
from random import Random
from typing import ParamSpec, TypeVar

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.bucket import BucketError
from nixery.storage.retries import Retries
from nixery.storage.sightings import Sighting, Sightings, key
from tests.storage.fake_bucket import FakeBucket, Kept

P = ParamSpec("P")
T = TypeVar("T")

LAYER = b"a layer"
DIGEST = Digest.of(LAYER)
EVER = 1e9


class Late:
    """A pool whose answers are of the moment when they are asked for, and may come later.

    `late`: whether the next answer waits until `arrive`.
    """

    def __init__(self) -> None:
        self.late = False
        self.arrive: Deferred[None] = Deferred()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        answer = function(*args, **kwargs)
        if self.late:
            self.late = False
            await self.arrive
        return answer


class Place:
    def __init__(self, vouches: bool = True) -> None:
        self.bucket, self.pool, self.clock = FakeBucket(), Late(), Clock()
        asking = Retries(self.pool, self.clock, "the bucket", Random(0))
        self.sightings = Sightings(self.bucket, asking, self.clock, vouches)

    def delay(self, late: str) -> None:
        """Have the next answer of that call come late."""

        def after(call: str, key: str) -> None:
            if call == late:
                self.pool.late, self.bucket.after = True, lambda call, key: None

        self.bucket.after = after

    def put(self, data: bytes) -> None:
        """What an upload does, and then forgets."""
        self.bucket.lay(key(DIGEST), data)
        self.bucket.vouch(key(DIGEST), self.bucket.objects[key(DIGEST)].version, Digest.of(data))
        self.sightings.forget(DIGEST)

    def counted(self, call: str) -> int:
        return self.bucket.calls.count((call, key(DIGEST)))


@pytest.fixture
def place() -> Place:
    return Place()


def good(seen: Sighting | None) -> bool | None:
    return None if seen is None else seen.good


@pytest_twisted.ensureDeferred
async def test_a_look_that_began_before_an_upload_ended_tells_nobody_who_asks_after_it(place: Place) -> None:
    place.delay("look")
    before = place.sightings.of(DIGEST, EVER)
    place.put(LAYER)
    assert good(await place.sightings.of(DIGEST, EVER)) is True
    place.pool.arrive.callback(None)
    assert good(await before) is None
    assert good(await place.sightings.of(DIGEST, EVER)) is True


@pytest_twisted.ensureDeferred
async def test_what_was_damaged_and_has_been_made_again_is_not_remembered_as_it_was(place: Place) -> None:
    place.bucket.lay(key(DIGEST), b"damaged")
    place.delay("read_part")
    before = place.sightings.of(DIGEST, EVER)
    place.put(LAYER)
    place.pool.arrive.callback(None)
    assert good(await before) is False
    assert good(await place.sightings.of(DIGEST, EVER)) is True


@pytest_twisted.ensureDeferred
async def test_each_version_is_hashed_for_itself(place: Place) -> None:
    place.bucket.lay(key(DIGEST), b"damaged")
    place.delay("read_part")
    before = place.sightings.of(DIGEST, EVER)
    place.bucket.lay(key(DIGEST), LAYER)
    right = Deferred.fromCoroutine(place.sightings.prove(DIGEST))
    assert right.called
    assert await right
    place.pool.arrive.callback(None)
    assert good(await before) is False


@pytest_twisted.ensureDeferred
async def test_many_who_ask_at_once_cost_one_look_and_one_hash(place: Place) -> None:
    place.bucket.lay(key(DIGEST), LAYER)
    place.delay("look")
    asked = [place.sightings.of(DIGEST, 5) for _ in range(20)]
    place.pool.arrive.callback(None)
    assert [good(await each) for each in asked] == [True] * 20
    assert (place.counted("look"), place.counted("read_part"), place.counted("vouch")) == (2, 1, 1)


@pytest_twisted.ensureDeferred
async def test_a_blob_that_changes_while_it_is_hashed_is_not_judged(place: Place) -> None:
    place.bucket.lay(key(DIGEST), LAYER)
    place.delay("look")
    before = place.sightings.of(DIGEST, EVER)
    place.bucket.lay(key(DIGEST), b"another")
    place.pool.arrive.callback(None)
    with pytest.raises(StorageUnavailable, match="changed while it was read: try again"):
        await before


@pytest_twisted.ensureDeferred
async def test_what_was_seen_counts_for_as_long_as_is_asked_and_is_not_hashed_again() -> None:
    place = Place(vouches=False)
    place.bucket.lay(key(DIGEST), LAYER)
    await place.sightings.of(DIGEST, 5)
    place.clock.advance(5)
    await place.sightings.of(DIGEST, 5)
    assert place.counted("look") == 1
    place.clock.advance(0.1)
    await place.sightings.of(DIGEST, 5)
    assert place.counted("look") == 2
    await place.sightings.of(DIGEST, 5)
    assert (place.counted("look"), place.counted("read_part"), place.counted("vouch")) == (2, 1, 0)


@pytest_twisted.ensureDeferred
async def test_a_clock_that_is_set_back_makes_nothing_younger(place: Place) -> None:
    place.put(LAYER)
    place.clock.advance(1000)
    await place.sightings.of(DIGEST, 5)
    place.clock.rightNow = 0.0
    await place.sightings.of(DIGEST, 5)
    assert place.counted("look") == 2


@pytest_twisted.ensureDeferred
async def test_what_is_gone_is_forgotten(place: Place) -> None:
    place.put(LAYER)
    assert good(await place.sightings.of(DIGEST, 0)) is True
    del place.bucket.objects[key(DIGEST)]
    place.clock.advance(10)
    assert await place.sightings.of(DIGEST, 5) is None
    assert await place.sightings.of(DIGEST, EVER) is None
    assert place.counted("look") == 3


@pytest_twisted.ensureDeferred
async def test_who_vouches_for_other_bytes_is_not_believed(place: Place) -> None:
    place.bucket.objects[key(DIGEST)] = Kept(b"others", "1", Digest.of(b"others").hex)
    assert good(await place.sightings.of(DIGEST, EVER)) is False
    place.bucket.objects[key(DIGEST)] = Kept(LAYER, "2", Digest.of(b"others").hex)
    place.sightings.forget(DIGEST)
    assert good(await place.sightings.of(DIGEST, EVER)) is True


@pytest_twisted.ensureDeferred
async def test_what_another_instance_wrote_over_a_damaged_blob_is_judged_anew(place: Place) -> None:
    place.bucket.lay(key(DIGEST), b"damaged")
    assert good(await place.sightings.of(DIGEST, 5)) is False
    place.bucket.lay(key(DIGEST), LAYER)
    place.clock.advance(10)
    assert good(await place.sightings.of(DIGEST, 5)) is True


@pytest_twisted.ensureDeferred
async def test_a_blob_that_vanishes_while_that_is_noted_was_good(place: Place) -> None:
    place.bucket.lay(key(DIGEST), LAYER)

    def vanish(call: str, key: str) -> None:
        if call == "vouch":
            del place.bucket.objects[key]

    place.bucket.after = vanish
    assert good(await place.sightings.of(DIGEST, 5)) is True


@pytest_twisted.ensureDeferred
async def test_a_blob_that_cannot_be_vouched_for_is_good_all_the_same(place: Place) -> None:
    place.bucket.lay(key(DIGEST), LAYER)

    def refuse(call: str, key: str) -> None:
        if call == "vouch":
            raise BucketError("access is denied", passing=False)

    place.bucket.before = refuse
    with capturedLogs() as logged:
        assert good(await place.sightings.of(DIGEST, 5)) is True
    assert [event["log_level"].name for event in logged] == ["warn"]


def test_two_blobs_are_hashed_at_once(place: Place) -> None:
    digests = [Digest.of(bytes(number)) for number in range(5)]

    def late(call: str, key: str) -> None:
        place.pool.late = call == "read_part"

    place.bucket.after = late
    for digest in digests:
        place.bucket.lay(key(digest), LAYER)
        place.sightings.of(digest, 5)
    assert [call for call, _ in place.bucket.calls].count("read_part") == 2
    place.bucket.after = lambda call, key: None
    place.pool.arrive.callback(None)
    assert [call for call, _ in place.bucket.calls].count("read_part") == 5


@pytest_twisted.ensureDeferred
async def test_a_blob_is_hashed_in_parts(place: Place) -> None:
    large = bytes(10 << 20)
    place.bucket.lay(key(Digest.of(large)), large)
    assert await place.sightings.prove(Digest.of(large))
    assert place.bucket.calls.count(("read_part", key(Digest.of(large)))) == 3

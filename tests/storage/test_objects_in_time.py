"""Storage in a bucket as time passes: how long what was seen counts, how long links are good, and the end."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Semaphore

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from nixery.errors import ShuttingDown
from nixery.images.digest import Digest
from nixery.storage import objects
from nixery.storage.bucket import LINK_SECONDS
from nixery.storage.objects import ObjectStorage
from nixery.storage.sightings import key
from tests.storage.contract import stage, store
from tests.storage.fake_bucket import FakeBucket, served
from tests.storage.places import surroundings

LAYER = b"a layer"


@pytest.fixture
def bucket() -> Iterator[FakeBucket]:
    with served() as bucket:
        yield bucket


def opened(bucket: FakeBucket, folder: Path) -> ObjectStorage:
    storage = ObjectStorage(bucket, "the bucket", surroundings(folder), proxied=False)
    storage.startService()
    return storage


@pytest_twisted.ensureDeferred
async def test_where_a_blob_is_is_asked_anew_sooner_than_whether_it_is_there(
    bucket: FakeBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "_FRESH", -1.0)
    storage = opened(bucket, tmp_path)
    digest = await store(storage, LAYER)
    for _ in range(3):
        assert await storage.has_all({digest: len(LAYER)})
    assert bucket.calls.count(("look", key(digest))) == 1
    assert await storage.find(digest)
    assert bucket.calls.count(("look", key(digest))) == 2
    await storage.stopService()


class Ticking(Clock):
    """The real reactor's threads, and a clock of ours."""

    callFromThread = staticmethod(reactor.callFromThread)  # type: ignore[attr-defined]  # a module


@pytest_twisted.ensureDeferred
async def test_a_link_is_made_anew_long_before_it_ends(bucket: FakeBucket, tmp_path: Path) -> None:
    clock = Ticking()
    ours = evolve(surroundings(tmp_path), reactor=clock)  # type: ignore[arg-type]  # all that is used of one
    storage = ObjectStorage(bucket, "the bucket", ours, proxied=False)
    storage.startService()
    digest = await store(storage, LAYER)
    for seconds, links in [(0, 1), (LINK_SECONDS / 3 - 1, 1), (2, 2), (-LINK_SECONDS, 3)]:
        clock.rightNow += seconds
        await storage.find(digest)
        assert bucket.calls.count(("link", key(digest))) == links
    await storage.stopService()


class Silent:
    """A bucket that says nothing for a while. `begun`: once for each call; `heard`: has it answer."""

    def __init__(self, bucket: FakeBucket) -> None:
        self.begun, self.heard = Semaphore(0), Event()
        bucket.before = self._before

    def _before(self, call: str, key: str) -> None:
        self.begun.release()
        self.heard.wait(20)


@pytest_twisted.ensureDeferred
async def test_calls_that_wait_for_a_thread_are_not_made_any_more_when_it_stops(
    bucket: FakeBucket, tmp_path: Path
) -> None:
    storage, silent = opened(bucket, tmp_path), Silent(bucket)
    digests = [Digest.of(bytes(number)) for number in range(60)]
    asked = [Deferred.fromCoroutine(storage.has_all({digest: 1})) for digest in digests]
    assert silent.begun.acquire(timeout=20)
    stopping = storage.stopService()
    silent.heard.set()
    await stopping
    assert len(bucket.calls) < 60
    for each in asked:
        with pytest.raises(ShuttingDown):
            await each


@pytest_twisted.ensureDeferred
async def test_uploads_are_few_at_once_and_given_up_at_once_when_it_stops(bucket: FakeBucket, tmp_path: Path) -> None:
    storage = opened(bucket, tmp_path)
    layers = [b"%d" % number for number in range(20)]
    staged = [await stage(storage, layer) for layer in layers]
    silent = Silent(bucket)
    publishing = [
        Deferred.fromCoroutine(staging.publish(Digest.of(layer), len(layer)))
        for staging, layer in zip(staged, layers, strict=True)
    ]
    assert all(silent.begun.acquire(timeout=20) for _ in range(8))
    stopping = storage.stopService()
    assert {path.name for path in (tmp_path / "spool").rglob("*") if path.is_file()} == {".lock"}
    silent.heard.set()
    await stopping
    assert len(bucket.calls) == 8
    for each in publishing:
        with pytest.raises(CancelledError):
            await each

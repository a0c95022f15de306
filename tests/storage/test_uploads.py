"""Blobs on their way into a bucket: what is tried again, what is given up, and what is left behind."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from nixery.concurrency.pool import Inline
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.bucket import BucketError
from nixery.storage.disk import Disk
from nixery.storage.interfaces import IStaging
from nixery.storage.retries import Retries
from nixery.storage.sightings import Sightings, key
from nixery.storage.spool import Spool, append
from nixery.storage.uploads import Uploads
from tests.storage.fake_bucket import FakeBucket

LAYER = b"a layer"
DIGEST = Digest.of(LAYER)
KEY = key(DIGEST)


class Place:
    def __init__(self, folder: Path) -> None:
        self.bucket, self.clock, self.folder = FakeBucket(), Clock(), folder
        asking = Retries(Inline(), self.clock, "the bucket", Random(0))
        self.sightings = Sightings(self.bucket, asking, self.clock, vouches=True)
        spool = Spool(str(folder))
        spool.open()
        self.uploads = Uploads(self.bucket, asking, self.sightings, spool, Disk(str(folder), Inline()))

    async def staged(self) -> IStaging:
        staging = await self.uploads.stage()
        await staging.write(LAYER)
        return staging

    def files(self) -> set[str]:
        return {path.name for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def failing(times: int) -> Callable[[str, str], None]:
    """The first uploads fail in passing."""
    rest = iter(range(times))

    def fail(call: str, key: str) -> None:
        if call == "upload" and next(rest, None) is not None:
            raise BucketError("the connection was cut", passing=True)

    return fail


@pytest_twisted.ensureDeferred
async def test_an_upload_goes_on_when_nobody_waits_for_it_any_more(place: Place) -> None:
    place.bucket.before = failing(1)
    staging = await place.staged()
    publishing = Deferred.fromCoroutine(staging.publish(DIGEST, len(LAYER)))
    publishing.cancel()
    with pytest.raises(CancelledError):
        await publishing
    await staging.abandon()
    place.clock.advance(1)
    assert place.bucket.objects[KEY].data == LAYER
    assert place.files() == {".lock"}


@pytest_twisted.ensureDeferred
async def test_what_is_written_over_is_what_is_there_now(place: Place) -> None:
    place.bucket.lay(KEY, b"damaged")
    await place.sightings.of(DIGEST, 0)
    place.bucket.lay(KEY, b"damaged again, by another")
    await (await place.staged()).publish(DIGEST, len(LAYER))
    assert place.bucket.objects[KEY].data == LAYER


@pytest_twisted.ensureDeferred
async def test_a_blob_that_comes_and_goes_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.bucket, "upload", lambda *arguments: False)
    with pytest.raises(StorageUnavailable, match="is written and removed by others all the time: try again"):
        await (await place.staged()).publish(DIGEST, len(LAYER))
    assert place.files() == {".lock"}


@pytest_twisted.ensureDeferred
async def test_no_descriptor_is_left_open(place: Place) -> None:
    before = descriptors()
    await (await place.staged()).publish(DIGEST, len(LAYER))
    await (await place.staged()).abandon()
    with pytest.raises(StorageUnavailable, match="was to have 9 bytes and has 7"):
        await (await place.staged()).publish(DIGEST, 9)
    assert descriptors() == before


def test_what_the_system_takes_in_pieces_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    with open(tmp_path / "file", "wb") as file:
        append(file.fileno(), LAYER)
    assert (tmp_path / "file").read_bytes() == LAYER

"""Storage in a bucket: what the store's own tests do not show, on a bucket that fails, loses and lies on demand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted

from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.bucket import Bucket, BucketError
from nixery.storage.interfaces import IStorage, Redirect, Remote
from nixery.storage.objects import ObjectStorage
from nixery.storage.sightings import key
from tests.storage.bucket_contract import BucketContract
from tests.storage.contract import StorageContract, content, stage, store
from tests.storage.fake_bucket import FakeBucket, served
from tests.storage.places import surroundings

LAYER = b"a layer"
DIGEST = Digest.of(LAYER)


class TestFakeBucket(BucketContract):
    @pytest.fixture
    def bucket(self) -> Iterator[Bucket]:
        with served() as bucket:
            yield bucket


@pytest.fixture
def bucket() -> Iterator[FakeBucket]:
    with served() as bucket:
        yield bucket


def opened(bucket: FakeBucket, folder: Path, proxied: bool = False, read_only: bool = False) -> ObjectStorage:
    storage = ObjectStorage(bucket, "the bucket", surroundings(folder, read_only), proxied)
    storage.startService()
    return storage


@pytest.fixture(params=[False, True], ids=["redirected", "proxied"])
def storage(bucket: FakeBucket, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ObjectStorage]:
    storage = opened(bucket, tmp_path, request.param)
    yield storage
    pytest_twisted.blockon(storage.stopService())
    assert [path.name for path in (tmp_path / "spool").iterdir()] == [".lock"], "a stopped storage leaves no file"
    assert bucket.closed


class TestContract(StorageContract):
    pass


@pytest_twisted.ensureDeferred
async def test_a_blob_is_answered_by_a_link_or_read_in_parts(storage: IStorage, bucket: FakeBucket) -> None:
    digest = await store(storage, LAYER)
    found = await storage.find(digest)
    assert isinstance(found, Redirect | Remote)
    if isinstance(found, Redirect):
        assert found.url == bucket.link(key(digest))
        await storage.find(digest)
        assert bucket.calls.count(("link", key(digest))) == 2, "ours and one of the storage's"


@pytest_twisted.ensureDeferred
async def test_a_strange_blob_is_hashed_once_and_vouched_for(
    storage: IStorage, bucket: FakeBucket, tmp_path: Path
) -> None:
    bucket.lay(key(DIGEST), LAYER)
    assert await content(storage, DIGEST) == LAYER
    assert await storage.has_all({DIGEST: 7})
    assert bucket.objects[key(DIGEST)].vouched == DIGEST.hex
    reads = bucket.calls.count(("read_part", key(DIGEST)))
    other = opened(bucket, tmp_path / "other")
    assert await other.has_all({DIGEST: 7})
    assert bucket.calls.count(("read_part", key(DIGEST))) == reads, "another instance reads nothing"
    await other.stopService()


@pytest_twisted.ensureDeferred
async def test_a_damaged_blob_counts_as_none_and_is_made_again(storage: IStorage, bucket: FakeBucket) -> None:
    bucket.lay(key(DIGEST), b"other bytes")
    assert await storage.find(DIGEST) is None
    assert not await storage.has_all({DIGEST: 11})
    assert await storage.read(DIGEST, 100) is None
    assert not await storage.check(DIGEST)
    await store(storage, LAYER)
    assert await content(storage, DIGEST) == LAYER
    assert await storage.check(DIGEST)
    bucket.lay(key(DIGEST), b"damaged")
    assert not await storage.check(DIGEST)
    assert not await storage.has_all({DIGEST: len(LAYER)}), "what was seen before is forgotten"


@pytest_twisted.ensureDeferred
async def test_a_reader_vouches_for_nothing_and_writes_nothing(bucket: FakeBucket, tmp_path: Path) -> None:
    bucket.lay(key(DIGEST), LAYER)
    reader = opened(bucket, tmp_path, read_only=True)
    assert await reader.read(DIGEST, 7) == LAYER
    assert bucket.objects[key(DIGEST)].vouched is None
    with pytest.raises(StorageUnavailable, match="only reads"):
        await reader.stage()
    assert not (tmp_path / "spool").exists()
    await reader.stopService()


@pytest_twisted.ensureDeferred
async def test_a_blob_that_vanished_is_noticed_when_it_is_read(bucket: FakeBucket, tmp_path: Path) -> None:
    storage = opened(bucket, tmp_path, proxied=True)
    digest = await store(storage, LAYER)
    found = await storage.find(digest)
    assert isinstance(found, Remote)
    assert await storage.has_all({digest: 7})
    del bucket.objects[key(digest)]
    with pytest.raises(StorageUnavailable, match="gone from the storage"):
        await found.read(0, 7)
    assert not await storage.has_all({digest: 7})
    assert await storage.read(digest, 7) is None
    await storage.stopService()


@pytest_twisted.ensureDeferred
async def test_what_was_changed_under_its_name_is_not_read(storage: IStorage, bucket: FakeBucket) -> None:
    digest = await store(storage, LAYER)
    assert await storage.has_all({digest: 7})
    bucket.lay(key(digest), b"another")
    assert await storage.read(digest, 7) is None
    assert not await storage.has_all({digest: 7})


@pytest_twisted.ensureDeferred
async def test_a_write_whose_answer_was_lost_has_won(storage: IStorage, bucket: FakeBucket) -> None:
    lost = iter([True])

    def lose(call: str, key: str) -> None:
        if call == "write" and next(lost, False):
            raise BucketError("the connection was reset", passing=True)

    bucket.after = lose
    assert await storage.create_record("v1/leases/a", b"mine")
    assert not await storage.create_record("v1/leases/a", b"mine")
    lost = iter([True])
    assert await storage.swap_record("v1/leases/a", b"mine", b"next")


@pytest_twisted.ensureDeferred
async def test_a_write_that_failed_and_found_anothers_has_not_won(storage: IStorage, bucket: FakeBucket) -> None:
    def overtake(call: str, key: str) -> None:
        if call == "write":
            bucket.before = lambda call, key: None
            bucket.lay(key, b"theirs")
            raise BucketError("the connection was reset", passing=True)

    bucket.before = overtake
    assert not await storage.create_record("v1/leases/a", b"mine")
    assert await storage.read_record("v1/leases/a") == b"theirs"


@pytest_twisted.ensureDeferred
async def test_an_upload_that_was_cut_is_made_again(storage: IStorage, bucket: FakeBucket) -> None:
    cuts = iter([True, True])

    def cut(call: str, key: str) -> None:
        if call == "upload" and next(cuts, False):
            raise BucketError("the connection was reset", passing=True)

    bucket.before = cut
    assert await content(storage, await store(storage, LAYER)) == LAYER


@pytest_twisted.ensureDeferred
async def test_a_bucket_that_refuses_is_unavailable_at_once_and_keeps_nothing(
    storage: IStorage, bucket: FakeBucket, tmp_path: Path
) -> None:
    staging = await stage(storage, LAYER)

    def refuse(call: str, key: str) -> None:
        raise BucketError("access is denied", passing=False)

    bucket.before = refuse
    with pytest.raises(StorageUnavailable, match="the bucket: access is denied$"):
        await staging.publish(DIGEST, len(LAYER))
    with pytest.raises(StorageUnavailable, match="the bucket: access is denied$"):
        await storage.has_all({DIGEST: 7})
    bucket.before = lambda call, key: None
    assert await storage.find(DIGEST) is None
    assert [path.name for path in (tmp_path / "spool").rglob("*") if path.is_file()] == [".lock", ".lock"]


@pytest_twisted.ensureDeferred
async def test_a_page_that_is_the_last_is_asked_for_once(storage: IStorage, bucket: FakeBucket) -> None:
    digest = await store(storage, LAYER)
    assert [blob.digest for blob in await storage.list_blobs("", 9)] == [digest]
    assert bucket.calls.count(("list", "layers")) == 1


@pytest_twisted.ensureDeferred
async def test_foreign_objects_are_not_listed(storage: IStorage, bucket: FakeBucket) -> None:
    digest = await store(storage, LAYER)
    for word in ("0", "a.tmp", "f" * 63, "UPPER", "A"):
        bucket.lay(f"layers/{word}", b"")
        bucket.lay(f"v1/names/{word} x", b"")
    for word in "xyz":
        await storage.create_record(f"v1/names/{word}", b"")
    assert [blob.digest for blob in await storage.list_blobs("", 1)] == [digest]
    assert await storage.list_records("v1/names", "", 1) == ["x"]
    assert await storage.list_records("v1/names", "", 2) == ["x", "y"]

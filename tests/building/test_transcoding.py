"""Zstd layers of stored gzip layers: made once, recorded, shared, and checked on the way."""

from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred

from nixery.building.transcoding import Transcoder
from nixery.concurrency.pool import Inline
from nixery.errors import ShuttingDown, StorageUnavailable
from nixery.images.digest import DiffID, Digest
from nixery.images.manifest import Blob, Layer
from nixery.packing.members import compress
from nixery.packing.zstd import encoder_fingerprint
from nixery.storage.interfaces import Location, Remote
from nixery.storage.objects import ObjectStorage
from tests.packing.fakes import HeldPool, Storage
from tests.storage.contract import store
from tests.storage.fake_bucket import served
from tests.storage.places import surroundings
from tests.zstd import zstd

TAR = b"any tar" * 1000
GZIP = bytes(compress(TAR))
LAYER = Layer(DiffID.of(TAR), Digest.of(GZIP), len(GZIP))
RECORD = f"v1/zstd/{LAYER.digest.hex}.{encoder_fingerprint()}"


@pytest.fixture
def storage() -> Storage:
    storage = Storage()
    storage.blobs[LAYER.digest] = GZIP
    return storage


@pytest.fixture
def transcoder(storage: Storage) -> Transcoder:
    return Transcoder(storage, Inline(), 2)


def started(transcoder: Transcoder, layer: Layer = LAYER) -> Deferred[Blob]:
    return Deferred.fromCoroutine(transcoder.of(layer))


@pytest_twisted.ensureDeferred
async def test_it_has_the_same_tar_and_is_stored_under_its_digest(storage: Storage, transcoder: Transcoder) -> None:
    blob = await transcoder.of(LAYER)
    made = storage.blobs[blob.digest]
    assert zstd.decompress(made) == TAR
    assert blob == Blob(Digest.of(made), len(made))
    assert storage.done == ["stage", "publish", "abandon"]


@pytest_twisted.ensureDeferred
async def test_what_was_made_once_is_not_made_again_also_after_a_restart(
    storage: Storage, transcoder: Transcoder
) -> None:
    blob = await transcoder.of(LAYER)
    assert await Transcoder(storage, Inline(), 2).of(LAYER) == blob
    assert storage.done.count("stage") == 1


@pytest_twisted.ensureDeferred
async def test_what_was_lost_is_made_again(storage: Storage, transcoder: Transcoder) -> None:
    blob = await transcoder.of(LAYER)
    del storage.blobs[blob.digest]
    assert await transcoder.of(LAYER) == blob
    assert blob.digest in storage.blobs


@pytest.mark.parametrize("record", [b"", b"{}", b'{"digest": "sha256:x", "size": 1}', b'{"digest": 1}', b"[]"])
@pytest_twisted.ensureDeferred
async def test_a_damaged_record_counts_as_none(record: bytes, storage: Storage, transcoder: Transcoder) -> None:
    storage.records[RECORD] = record
    blob = await transcoder.of(LAYER)
    assert blob.digest in storage.blobs
    assert storage.records[RECORD] != record


@pytest_twisted.ensureDeferred
async def test_two_who_want_it_at_once_share_the_work(storage: Storage) -> None:
    pool = HeldPool()
    transcoder = Transcoder(storage, pool, 2)
    first, second = started(transcoder), started(transcoder)
    first.cancel()  # who leaves takes nothing from the other
    first.addErrback(lambda _: None)
    assert len(pool.held) == 1
    pool.held[0][0].errback(StorageUnavailable("the disk is full"))
    with pytest.raises(StorageUnavailable, match="the disk is full"):
        await second
    assert storage.done == ["stage", "abandon"]


@pytest_twisted.ensureDeferred
async def test_at_most_so_many_are_made_at_once(storage: Storage) -> None:
    pool = HeldPool()
    transcoder = Transcoder(storage, pool, 2)
    layers = [evolve(LAYER, comment=str(number)) for number in range(3)]
    works = [started(transcoder, layer) for layer in layers]
    assert len(pool.held) == 2
    pool.held[0][0].errback(StorageUnavailable("it"))
    assert len(pool.held) == 3
    for deferred, _ in pool.held[1:]:
        deferred.errback(StorageUnavailable("it"))
    for work in works:
        with pytest.raises(StorageUnavailable):
            await work


@pytest.mark.parametrize(
    ("blob", "fault"),
    [
        (bytes(compress(b"another tar")), "its tar has the digest"),
        (GZIP[:-1], "it ends in the middle"),
        (b"no gzip", "incorrect header check"),
        (b"", "it ends in the middle"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_layer_that_is_not_what_is_recorded_of_it_becomes_none(
    blob: bytes, fault: str, storage: Storage, transcoder: Transcoder
) -> None:
    storage.blobs[LAYER.digest] = blob
    with pytest.raises(StorageUnavailable, match=rf"is not what is recorded of it: .*{fault}.* remove that blob"):
        await transcoder.of(LAYER)
    assert list(storage.blobs) == [LAYER.digest]
    assert not storage.records


@pytest_twisted.ensureDeferred
async def test_a_layer_that_has_gone_is_told(storage: Storage, transcoder: Transcoder) -> None:
    storage.blobs.clear()
    with pytest.raises(StorageUnavailable, match="no longer stored; pull again"):
        await transcoder.of(LAYER)


@pytest_twisted.ensureDeferred
async def test_closing_waits_for_the_thread_that_writes(storage: Storage) -> None:
    pool = HeldPool()
    transcoder = Transcoder(storage, pool, 2)
    work = started(transcoder)
    closed = Deferred.fromCoroutine(transcoder.close())
    with pytest.raises(ShuttingDown):
        await work
    assert not closed.called
    assert storage.done == ["stage"], "the descriptor stays open while a thread may write to it"
    pool.held[0][0].errback(ShuttingDown())
    await closed
    assert storage.done == ["stage", "abandon"]
    with pytest.raises(ShuttingDown):
        await transcoder.of(LAYER)


@pytest.mark.parametrize("proxied", [False, True])
@pytest_twisted.ensureDeferred
async def test_layers_in_a_bucket_are_read_from_there_however_clients_get_them(proxied: bool, tmp_path: Path) -> None:
    with served() as bucket:
        storage = ObjectStorage(bucket, "the bucket", surroundings(tmp_path), proxied)
        storage.startService()
        await store(storage, GZIP)
        blob = await Transcoder(storage, Inline(), 2).of(LAYER)
        made = await storage.read(blob.digest, blob.size)
        assert made is not None
        assert zstd.decompress(made) == TAR
        await storage.stopService()


@pytest_twisted.ensureDeferred
async def test_a_storage_that_says_nothing_does_not_hold_up_the_end() -> None:
    async def silent(offset: int, length: int) -> bytes:
        return await Deferred[bytes]()

    class Silent(Storage):
        async def find(self, digest: Digest) -> Location | None:
            return Remote(len(GZIP), silent)

    transcoder = Transcoder(Silent(), Inline(), 2)
    made = started(transcoder)
    made.addErrback(lambda failure: failure.trap(ShuttingDown) and None)
    await transcoder.close()
    assert made.called

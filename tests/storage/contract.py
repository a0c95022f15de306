"""What every storage must do: the cases that each backend's tests run. Used by subclassing StorageContract."""

import os
import urllib.request
from contextlib import suppress

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.threads import deferToThread

from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.interfaces import InMemory, IStaging, IStorage, LocalFile, Redirect, Remote, Stored
from tests.storage.records_contract import RecordsContract


async def stage(storage: IStorage, data: bytes) -> IStaging:
    """A staged blob that is not published yet."""
    staging = await storage.stage()
    os.write(staging.fileno(), data)
    return staging


async def store(storage: IStorage, data: bytes) -> Digest:
    """A published blob."""
    staging = await stage(storage, data)
    digest = Digest.of(data)
    await staging.publish(digest, len(data))
    return digest


async def content(storage: IStorage, digest: Digest) -> bytes | None:
    """What a client would get."""
    found = await storage.find(digest)
    match found:
        case None:
            return None
        case InMemory(data):
            return data
        case LocalFile(path, size):
            with open(path, "rb") as file:
                data = file.read()
            assert len(data) == size
            return data
        case Remote(size, read):
            half = size // 2
            return await read(0, half) + await read(half, size - half)
        case Redirect(url, size):
            data = await deferToThread(fetch, url)
            assert len(data) == size
            return data
    raise AssertionError(f"no content at {found}")


def fetch(url: str) -> bytes:
    """What a client that was sent there gets."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        data: bytes = answer.read()
    return data


class StorageContract(RecordsContract):
    @pytest_twisted.ensureDeferred
    async def test_what_is_written_in_parts_is_one_blob(self, storage: IStorage) -> None:
        staging = await storage.stage()
        await staging.write(b"la")
        await staging.write(b"yer")
        await staging.publish(Digest.of(b"layer"), 5)
        assert await content(storage, Digest.of(b"layer")) == b"layer"

    @pytest_twisted.ensureDeferred
    async def test_a_published_blob_is_found(self, storage: IStorage) -> None:
        digest = await store(storage, b"layer")
        assert await content(storage, digest) == b"layer"
        found = await storage.find(digest)
        assert found is not None
        assert found.size == 5

    @pytest_twisted.ensureDeferred
    async def test_an_unknown_blob_is_nowhere(self, storage: IStorage) -> None:
        assert await storage.find(Digest.of(b"other")) is None

    @pytest_twisted.ensureDeferred
    async def test_a_staged_blob_is_invisible(self, storage: IStorage) -> None:
        staging = await stage(storage, b"half")
        assert await storage.find(Digest.of(b"half")) is None
        await staging.abandon()
        assert await storage.find(Digest.of(b"half")) is None

    @pytest_twisted.ensureDeferred
    async def test_abandon_twice_or_after_publish_does_nothing(self, storage: IStorage) -> None:
        staging = await stage(storage, b"kept")
        await staging.publish(Digest.of(b"kept"), 4)
        await staging.abandon()
        await staging.abandon()
        assert await content(storage, Digest.of(b"kept")) == b"kept"

    @pytest.mark.parametrize("size", [0, 3, 5])
    @pytest_twisted.ensureDeferred
    async def test_a_wrong_size_is_refused(self, storage: IStorage, size: int) -> None:
        staging = await stage(storage, b"four")
        with pytest.raises(StorageUnavailable, match="was to have"):
            await staging.publish(Digest.of(b"four"), size)
        assert await storage.find(Digest.of(b"four")) is None

    @pytest_twisted.ensureDeferred
    async def test_a_wrong_digest_is_refused(self, storage: IStorage) -> None:
        staging = await stage(storage, b"four")
        with pytest.raises(StorageUnavailable, match="was to have this digest"):
            await staging.publish(Digest.of(b"five"), 4)
        assert await storage.find(Digest.of(b"five")) is None
        assert await storage.find(Digest.of(b"four")) is None

    @pytest_twisted.ensureDeferred
    async def test_one_digest_published_by_twenty_at_once_is_one_blob(self, storage: IStorage) -> None:
        data = b"same" * 1000
        staged = [await stage(storage, data) for _ in range(20)]
        published = [Deferred.fromCoroutine(one.publish(Digest.of(data), len(data))) for one in staged]
        await gatherResults(published)
        assert await content(storage, Digest.of(data)) == data
        assert await storage.list_blobs("", 9) == [Stored(Digest.of(data), len(data))]

    @pytest_twisted.ensureDeferred
    async def test_a_publishing_that_is_given_up_leaves_all_or_nothing(self, storage: IStorage) -> None:
        data = os.urandom(1 << 20)
        staging = await stage(storage, data)
        publishing = Deferred.fromCoroutine(staging.publish(Digest.of(data), len(data)))
        publishing.cancel()
        with suppress(CancelledError):
            await publishing
        await staging.abandon()
        assert await content(storage, Digest.of(data)) in (None, data)
        assert await content(storage, await store(storage, data)) == data

    @pytest_twisted.ensureDeferred
    async def test_one_digest_published_by_two_is_one_blob(self, storage: IStorage) -> None:
        first, second = await stage(storage, b"same"), await stage(storage, b"same")
        await first.publish(Digest.of(b"same"), 4)
        await second.publish(Digest.of(b"same"), 4)
        assert await content(storage, Digest.of(b"same")) == b"same"

    @pytest_twisted.ensureDeferred
    async def test_an_empty_blob_is_a_blob(self, storage: IStorage) -> None:
        assert await content(storage, await store(storage, b"")) == b""

    @pytest_twisted.ensureDeferred
    async def test_read_gives_small_blobs_and_refuses_large_ones(self, storage: IStorage) -> None:
        digest = await store(storage, b"manifest")
        assert await storage.read(digest, 8) == b"manifest"
        assert await storage.read(Digest.of(b"?"), 8) is None
        with pytest.raises(StorageUnavailable, match="8 bytes; at most 7"):
            await storage.read(digest, 7)

    @pytest_twisted.ensureDeferred
    async def test_has_all_asks_for_presence_and_size(self, storage: IStorage) -> None:
        first, empty = await store(storage, b"manifest"), await store(storage, b"")
        assert await storage.has_all({})
        assert await storage.has_all({first: 8, empty: 0})
        assert not await storage.has_all({first: 7})
        assert not await storage.has_all({first: 8, Digest.of(b"?"): 0})

    @pytest_twisted.ensureDeferred
    async def test_blobs_are_listed_in_pages_in_their_order(self, storage: IStorage) -> None:
        assert await storage.list_blobs("", 5) == []
        stored = sorted([Stored(await store(storage, bytes(size)), size) for size in range(5)])
        assert await storage.list_blobs("", 9) == stored
        assert await storage.list_blobs("", 2) == stored[:2]
        assert await storage.list_blobs(stored[1].digest.hex, 2) == stored[2:4]
        assert await storage.list_blobs(stored[4].digest.hex, 2) == []
        assert await storage.list_blobs("", 0) == []

    @pytest_twisted.ensureDeferred
    async def test_a_blob_is_checked_anew(self, storage: IStorage) -> None:
        assert await storage.check(await store(storage, b"layer"))
        assert await storage.check(await store(storage, b""))
        assert not await storage.check(Digest.of(b"other"))

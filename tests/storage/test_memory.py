import os

import pytest
import pytest_twisted

from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.interfaces import IStorage
from nixery.storage.memory import MemoryStorage
from tests.storage.contract import StorageContract, content, stage, store


class TestMemory(StorageContract):
    @pytest.fixture
    def storage(self) -> IStorage:
        return MemoryStorage()


@pytest_twisted.ensureDeferred
async def test_a_blob_is_kept_whole_also_where_one_read_gives_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda descriptor, size, offset: pread(descriptor, min(size, 3), offset))
    storage = MemoryStorage()
    assert await content(storage, await store(storage, b"layer")) == b"layer"


@pytest_twisted.ensureDeferred
async def test_the_limit_holds_for_all_blobs_together_and_each_counts_once() -> None:
    storage = MemoryStorage(limit=10)
    for data in (b"layer", b"other", b"layer"):
        await store(storage, data)
    with pytest.raises(StorageUnavailable, match=r"of 1 bytes is too much .* 10 of 10 bytes are taken"):
        await (await stage(storage, b"x")).publish(Digest.of(b"x"), 1)
    assert await storage.find(Digest.of(b"x")) is None

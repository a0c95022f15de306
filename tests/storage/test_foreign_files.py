"""A storage folder in strange places, and with strange things in it."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted

from nixery.concurrency.pool import Inline
from nixery.errors import StorageUnavailable
from nixery.storage.bucket import SMALL
from nixery.storage.filesystem import FilesystemStorage
from nixery.storage.folder import Folder
from nixery.storage.records import write_record
from tests.storage.contract import content, store
from tests.storage.places import opened


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[FilesystemStorage]:
    storage = opened(tmp_path)
    yield storage
    storage.stopService()


@pytest_twisted.ensureDeferred
async def test_a_folder_in_one_that_may_not_be_read_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, real = opened(tmp_path / "open"), os.open

    def refuse(path: str, flags: int, mode: int = 0o777, dir_fd: int | None = None) -> int:
        if path == str(tmp_path):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
    assert await storage.create_record("v1/images/a", b"record")
    storage.stopService()


@pytest_twisted.ensureDeferred
async def test_what_is_no_file_is_no_blob_and_opened_by_nobody(storage: FilesystemStorage, tmp_path: Path) -> None:
    digest = await store(storage, b"layer")
    (tmp_path / "layers" / digest.hex).unlink()
    os.mkfifo(tmp_path / "layers" / digest.hex)
    assert await storage.find(digest) is None
    assert not await storage.has_all({digest: 0})
    await store(storage, b"layer")
    assert await content(storage, digest) == b"layer"


@pytest_twisted.ensureDeferred
async def test_what_stands_where_a_record_would_and_is_none_keeps_nobody_busy_for_ever(
    storage: FilesystemStorage, tmp_path: Path
) -> None:
    await storage.create_record("v1/images/a", b"record")
    os.symlink("nowhere", tmp_path / "v1/images/b")
    with pytest.raises(StorageUnavailable, match="the record v1/images/b cannot be written, nor read"):
        await write_record(storage, "v1/images/b", b"new")


@pytest_twisted.ensureDeferred
async def test_a_record_that_is_large_is_not_read_into_memory(storage: FilesystemStorage, tmp_path: Path) -> None:
    await storage.create_record("v1/images/a", b"record")
    os.truncate(tmp_path / "v1/images/a", SMALL)
    assert await storage.read_record("v1/images/a") is not None
    os.truncate(tmp_path / "v1/images/a", 1 << 40)
    with pytest.raises(StorageUnavailable, match=f"v1/images/a has more than {SMALL} bytes"):
        await storage.read_record("v1/images/a")


@pytest_twisted.ensureDeferred
async def test_what_other_processes_wrote_is_hashed_once_and_counts(
    storage: FilesystemStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await store(storage, b"layer")
    other = FilesystemStorage(Folder(str(tmp_path)), Inline())
    assert await other.has_all({digest: 5})
    monkeypatch.setattr("nixery.storage.proven.hashed", None)
    assert await other.find(digest)
    assert await storage.find(digest), "what this process wrote is not hashed at all"


@pytest_twisted.ensureDeferred
async def test_what_is_damaged_stays_so_until_it_changes(storage: FilesystemStorage, tmp_path: Path) -> None:
    digest = await store(storage, b"layer")
    (tmp_path / "layers" / digest.hex).write_bytes(b"other")
    assert [await storage.find(digest) for _ in range(3)] == [None] * 3
    (tmp_path / "layers" / digest.hex).write_bytes(b"layer")
    assert await storage.find(digest)


@pytest.mark.parametrize("replaced", [True, False], ids=["another file", "another size"])
@pytest_twisted.ensureDeferred
async def test_a_time_that_is_the_same_vouches_for_nothing(
    storage: FilesystemStorage, tmp_path: Path, replaced: bool
) -> None:
    digest = await store(storage, b"layer")
    path = tmp_path / "layers" / digest.hex
    written = path.stat().st_mtime_ns
    if replaced:
        (tmp_path / "other").write_bytes(b"other")
        (tmp_path / "other").rename(path)
    else:
        os.truncate(path, 3)
    os.utime(path, ns=(written, written))
    assert await storage.find(digest) is None


def test_swapping_and_removing_is_done_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, read, held = Folder(str(tmp_path)), Folder.read, []
    folder.open()
    assert folder.create("v1/leases/a", b"one")

    def read_alone(folder: Folder, name: str) -> bytes | None:
        with open(tmp_path / "v1/leases/.lock") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.append(name)
        return read(folder, name)

    monkeypatch.setattr(Folder, "read", read_alone)
    assert folder.swap("v1/leases/a", b"one", b"two")
    assert folder.remove("v1/leases/a", b"two")
    assert held == ["v1/leases/a"] * 2
    folder.close()

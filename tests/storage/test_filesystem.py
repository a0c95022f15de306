import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor

from nixery.concurrency.pool import Inline, Threads
from nixery.errors import ConfigError, StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.filesystem import FilesystemStorage, make
from nixery.storage.folder import Folder
from nixery.storage.interfaces import IStorage
from tests.storage.contract import StorageContract, content, stage, store
from tests.storage.places import opened, surroundings


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[FilesystemStorage]:
    storage = opened(tmp_path)
    yield storage
    storage.stopService()


class TestContract(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> Iterator[IStorage]:
        threads = Threads(reactor, 8, "test")  # type: ignore[arg-type]  # mypy sees a module
        threads.startService()
        storage = FilesystemStorage(Folder(str(tmp_path)), threads)
        storage.startService()
        yield storage
        storage.stopService()
        pytest_twisted.blockon(threads.stopService())
        assert os.listdir(tmp_path / "staging") == [".lock"], "a stopped storage leaves no staged file"


@pytest_twisted.ensureDeferred
async def test_blobs_and_records_survive_a_restart(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    digest = await store(storage, b"layer")
    await storage.create_record("v1/images/abc", b"record")
    storage.stopService()
    again = opened(tmp_path)
    assert await content(again, digest) == b"layer"
    assert await again.read_record("v1/images/abc") == b"record"
    again.stopService()


@pytest_twisted.ensureDeferred
async def test_blobs_lie_flat_under_their_digest(storage: FilesystemStorage, tmp_path: Path) -> None:
    digest = await store(storage, b"layer")
    assert (tmp_path / "layers" / digest.hex).read_bytes() == b"layer"
    assert (tmp_path / "layers" / digest.hex).stat().st_mode & 0o777 == 0o644


@pytest_twisted.ensureDeferred
async def test_fault_12_bytes_are_synced_before_they_are_named_and_names_after(
    storage: FilesystemStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(storage, b"makes the folder")
    calls: list[str] = []
    for name in ("fsync", "rename", "link"):
        monkeypatch.setattr(os, name, _recorded(name, getattr(os, name), calls))
    await store(storage, b"layer")
    assert calls == ["fsync file", "rename", "fsync layers"]
    calls.clear()
    await storage.create_record("v1/images/a", b"record")
    assert calls == [
        "fsync v1",
        f"fsync {tmp_path.name}",
        f"fsync {tmp_path.parent.name}",
        "fsync file",
        "link",
        "fsync images",
    ]
    calls.clear()
    await storage.swap_record("v1/images/a", b"record", b"newer")
    assert calls == ["fsync file", "rename", "fsync images"]
    calls.clear()
    await storage.remove_record("v1/images/a", b"newer")
    assert calls == ["fsync images"]


def _recorded(name: str, real: object, calls: list[str]) -> object:
    def call(*arguments: object) -> object:
        what = ""
        if name == "fsync":
            path = os.readlink(f"/proc/self/fd/{arguments[0]}")
            what = f" {os.path.basename(path)}" if os.path.isdir(path) else " file"
        calls.append(name + what)
        assert callable(real)
        return real(*arguments)

    return call


@pytest.mark.parametrize("damaged", [b"", b"laye", b"Layer", b"layer and more"])
@pytest_twisted.ensureDeferred
async def test_fault_5_an_emptied_or_damaged_file_is_not_served_even_after_a_restart(
    storage: FilesystemStorage, tmp_path: Path, damaged: bytes
) -> None:
    digest = await store(storage, b"layer")
    (tmp_path / "layers" / digest.hex).write_bytes(damaged)
    os.utime(tmp_path / "layers" / digest.hex, ns=(1, 1))
    assert await storage.find(digest) is None
    after_restart = FilesystemStorage(Folder(str(tmp_path)), Inline())
    assert await after_restart.find(digest) is None
    await store(storage, b"layer")
    assert await content(storage, digest) == b"layer"


@pytest_twisted.ensureDeferred
async def test_fault_12_needs_no_extended_attributes_and_never_truncates_what_is_served(
    storage: FilesystemStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("getxattr", "listxattr", "setxattr"):
        monkeypatch.setattr(os, name, None)
    digest = await store(storage, b"layer")
    found = await storage.find(digest)
    with open(getattr(found, "path", "")) as reader:
        await (await stage(storage, b"layer")).publish(digest, 5)
        assert reader.read() == "layer"
        assert os.fstat(reader.fileno()).st_ino != os.stat(reader.name).st_ino, "written into another file"


@pytest_twisted.ensureDeferred
async def test_an_abandoned_blob_leaves_nothing(storage: FilesystemStorage, tmp_path: Path) -> None:
    staging = await stage(storage, b"half")
    descriptor = staging.fileno()
    await staging.abandon()
    assert [path.name for path in (tmp_path / "staging").rglob("*") if path.is_file()] == [".lock"] * 2
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest_twisted.ensureDeferred
async def test_what_a_dead_process_staged_is_removed_and_what_a_living_one_stages_is_kept(tmp_path: Path) -> None:
    living = opened(tmp_path)
    staging = await stage(living, b"being written")
    dead = tmp_path / "staging" / "daemon-dead"
    dead.mkdir()
    (dead / ".lock").touch()
    (dead / "half").write_bytes(b"half a layer")
    other = opened(tmp_path)
    assert not dead.exists()
    await staging.publish(Digest.of(b"being written"), 13)
    assert await content(other, Digest.of(b"being written")) == b"being written"
    living.stopService()
    other.stopService()


@pytest_twisted.ensureDeferred
async def test_a_disk_error_is_named_and_leaves_nothing(
    storage: FilesystemStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    staging = await stage(storage, b"layer")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageUnavailable, match="No space left on device"):
            await staging.publish(Digest.of(b"layer"), 5)
        with pytest.raises(StorageUnavailable, match="No space left"):
            await storage.create_record("v1/images/a", b"record")
    assert await storage.find(Digest.of(b"layer")) is None
    assert await storage.read_record("v1/images/a") is None
    assert [path.name for path in (tmp_path / "staging").rglob("*") if path.is_file()].count(".lock") == 2
    assert len([path for path in (tmp_path / "staging").rglob("*") if path.is_file()]) == 2


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"STORAGE_PATH is '.*/file/x'"):
        make({"STORAGE_PATH": str(tmp_path / "file" / "x")}, surroundings(tmp_path))


@pytest_twisted.ensureDeferred
async def test_a_folder_that_is_only_read_is_left_as_it_is(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    digest = await store(writer, b"layer")
    await writer.create_record("v1/names/a", b"old")
    writer.stopService()
    before = sorted((str(path), path.stat().st_mtime_ns) for path in [tmp_path, *tmp_path.rglob("*")])
    reader = make({"STORAGE_PATH": str(tmp_path)}, surroundings(tmp_path, read_only=True))
    reader.startService()
    assert await content(reader, digest) == b"layer"
    assert (await reader.check(digest), await reader.read_record("v1/names/a")) == (True, b"old")
    for refused in (
        reader.stage(),
        reader.create_record("v1/names/b", b"new"),
        reader.swap_record("v1/names/a", b"old", b"new"),
        reader.remove_record("v1/names/a", b"old"),
    ):
        with pytest.raises(StorageUnavailable, match="is only read by this process"):
            await refused
    reader.stopService()
    assert sorted((str(path), path.stat().st_mtime_ns) for path in [tmp_path, *tmp_path.rglob("*")]) == before


def test_a_folder_to_read_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which cannot be read; name a folder that can"):
        make({"STORAGE_PATH": str(tmp_path / "none")}, surroundings(tmp_path, read_only=True))
    assert not (tmp_path / "none").exists()

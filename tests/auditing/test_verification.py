"""A storage in which something is wrong, and what is said of it."""

import json
import os
from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve

from nixery.auditing import listing
from nixery.auditing.verification import Verification
from nixery.concurrency.pool import Inline
from nixery.errors import StorageUnavailable
from nixery.images.canonical import encode
from nixery.images.digest import Digest
from nixery.images.index import ImageIndex, IndexFormat
from nixery.images.manifest import Blob, Format, encode_blob
from nixery.storage.filesystem import FilesystemStorage
from nixery.storage.folder import Folder
from nixery.storage.interfaces import IStorage
from tests.auditing.world import Stored


def nowhere(done: int, total: int) -> None:
    """No progress."""


async def verified(storage: IStorage) -> tuple[list[str], Verification]:
    told: list[str] = []
    verification = Verification(storage, told.append, nowhere, nowhere, nowhere)
    await verification.run()
    assert verification.faults == len(told)
    return sorted(told), verification


@pytest_twisted.ensureDeferred
async def test_nothing_is_wrong_with_what_a_builder_leaves() -> None:
    stored = await Stored().fill()
    told, verification = await verified(stored.storage)
    assert told == []
    assert (len(verification.listing), verification.records, verification.outdated) == (12, 7, 0)


@pytest_twisted.ensureDeferred
async def test_an_empty_storage_is_whole() -> None:
    assert (await verified(Stored().storage))[0] == []


@pytest_twisted.ensureDeferred
async def test_a_damaged_blob_is_named_and_so_is_what_names_it() -> None:
    stored = await Stored().fill()
    damaged = Digest.of(b"amd64")
    stored.storage.blobs[damaged] = b"AMD64"
    told, _ = await verified(stored.storage)
    assert told == [
        f"layers/{damaged.hex}: is not what its name says: its bytes have another digest",
        f"v1/images/{stored.keys[0]}: names {damaged}, which is damaged",
        f"v1/layers/{'1' * 64}: names {damaged}, which is damaged",
    ]


@pytest.mark.parametrize("data", [b"zstd", b"shared layer"])
@pytest_twisted.ensureDeferred
async def test_a_lost_blob_is_told_of_each_record_that_names_it(data: bytes) -> None:
    stored = await Stored().fill()
    lost = Digest.of(data)
    del stored.storage.blobs[lost]
    told, _ = await verified(stored.storage)
    names = [f"v1/images/{key}" for key in sorted(stored.keys)] + [f"v1/layers/{'0' * 64}"]
    assert told == [f"{name}: names {lost}, which is not stored" for name in names]


@pytest_twisted.ensureDeferred
async def test_a_lost_zstd_layer_is_told_of_its_record() -> None:
    storage, lost, name = Stored().storage, Digest.of(b"lost"), f"v1/zstd/{'2' * 64}.{'3' * 64}"
    storage.records[name] = encode(encode_blob(Blob(lost, 4)))
    assert (await verified(storage))[0] == [f"{name}: names {lost}, which is not stored"]


@pytest_twisted.ensureDeferred
async def test_a_record_with_another_size_than_is_stored_is_told() -> None:
    stored = await Stored().fill()
    name = f"v1/layers/{'1' * 64}"
    stored.storage.records[name] = stored.storage.records[name].replace(b'"size":5', b'"size":6')
    assert (await verified(stored.storage))[0] == [f"{name}: names {Digest.of(b'amd64')} with 6 bytes; it has 5"]


@pytest_twisted.ensureDeferred
async def test_an_index_whose_image_is_no_longer_recorded_is_told() -> None:
    stored = await Stored().fill()
    del stored.storage.records[f"v1/images/{stored.keys[1]}"]
    manifest = Digest.of(stored.images[1].manifest(Format.OCI))
    del stored.storage.blobs[manifest]
    told, _ = await verified(stored.storage)
    forms = [Digest.of(ImageIndex(tuple(stored.images)).manifest(form)).hex for form in IndexFormat]
    assert told == sorted(
        f"v1/indexes/{key}: names {what}"
        for key in (*forms, "f" * 64)
        for what in (f"v1/images/{stored.keys[1]}, which is not there", f"{manifest}, which is not stored")
    )


@pytest.mark.parametrize("folder", ["layers", "images", "indexes"])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"digest": 1e400}', b"[" * 100_000, b'{"images": 1}'])
@pytest_twisted.ensureDeferred
async def test_a_record_that_is_none_is_told(folder: str, data: bytes) -> None:
    stored = await Stored().fill()
    await stored.storage.create_record(f"v1/{folder}/{'9' * 64}", data)
    told, _ = await verified(stored.storage)
    assert len(told) == 1
    assert told[0].startswith(f"v1/{folder}/{'9' * 64}: is no record of ours: ")
    assert "\n" not in told[0]


@pytest_twisted.ensureDeferred
async def test_records_of_another_version_are_counted_and_no_fault() -> None:
    stored = await Stored().fill()
    for name in [f"v1/images/{'9' * 64}", f"v1/indexes/{'9' * 64}"]:
        await stored.storage.create_record(name, json.dumps({"version": 1}).encode())
    told, verification = await verified(stored.storage)
    assert (told, verification.outdated) == ([], 2)


@pytest_twisted.ensureDeferred
async def test_what_is_written_meanwhile_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    stored, late = await Stored().fill(), Stored()
    check = stored.storage.check

    async def built_meanwhile(digest: Digest) -> bool:
        if not late.images:
            stored.storage.blobs.update((await late.fill()).storage.blobs)
            late.blob(b"another")
            await stored.image(evolve(late.images[0], layers=late.images[0].layers[:1]))
        return await check(digest)

    monkeypatch.setattr(stored.storage, "check", built_meanwhile)
    assert (await verified(stored.storage))[0] == []
    assert len(stored.images) == 3


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_read_is_told_and_the_rest_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = await Stored().fill()
    check, read, bad = stored.storage.check, stored.storage.read_record, Digest.of(b"amd64")

    async def refused(digest: Digest) -> bool:
        if digest == bad:
            raise StorageUnavailable("permission denied")
        return await check(digest)

    async def unread(name: str) -> bytes | None:
        if name == f"v1/layers/{'0' * 64}":
            raise StorageUnavailable("no answer")
        return await read(name)

    monkeypatch.setattr(stored.storage, "check", refused)
    monkeypatch.setattr(stored.storage, "read_record", unread)
    told, verification = await verified(stored.storage)
    assert told == [
        f"layers/{bad.hex}: cannot be read: permission denied",
        f"v1/layers/{'0' * 64}: cannot be verified: no answer",
    ]
    assert verification.records == 7


@pytest_twisted.ensureDeferred
async def test_progress_ends_at_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 5)
    stored = await Stored().fill()
    bars: list[list[tuple[int, int]]] = [[], [], []]
    steps = [lambda done, total, bar=bar: bar.append((done, total)) for bar in bars]
    await Verification(stored.storage, print, *steps).run()
    held = sum(map(len, stored.storage.blobs.values()))
    assert [bar[-1] for bar in bars] == [(12, 12), (held, held), (7, 7)]
    assert [step for step, _ in bars[0]] == [5, 10, 12]
    assert all(done <= total for bar in bars for done, total in bar)


@pytest_twisted.ensureDeferred
async def test_damaged_files_are_found_where_another_process_wrote_them(tmp_path: Path) -> None:
    stored = await Stored().fill()
    files = FilesystemStorage(Folder(str(tmp_path)), Inline())
    files.startService()
    for digest, data in stored.storage.blobs.items():
        staging = await files.stage()
        await staging.write(data)
        await staging.publish(digest, len(data))
    for name, data in stored.storage.records.items():
        await files.create_record(name, data)
    damaged, cut, gone = (Digest.of(data) for data in (b"amd64", b"arm64", b"zstd"))
    path, kept = tmp_path / "layers" / damaged.hex, os.stat(tmp_path / "layers" / damaged.hex)
    path.write_bytes(b"AMD64")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    os.truncate(tmp_path / "layers" / cut.hex, 2)
    (tmp_path / "layers" / gone.hex).unlink()
    told, _ = await verified(files)
    files.stopService()
    assert told[:2] == sorted(
        f"layers/{digest.hex}: is not what its name says: its bytes have another digest" for digest in (damaged, cut)
    )
    assert {line.partition(": ")[0] for line in told[2:]} == {
        *(f"v1/images/{key}" for key in stored.keys),
        *(f"v1/layers/{number * 64}" for number in "01"),
    }

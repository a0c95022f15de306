import os
from pathlib import Path

import pytest
import pytest_twisted

from nixery.concurrency.pool import Inline
from nixery.errors import StorageUnavailable
from nixery.packing.pieces import PIECE
from nixery.packing.stored import pieces
from nixery.storage.interfaces import InMemory, LocalFile, Location, Redirect, Remote

CONTENT = b"ab" * PIECE + b"c"


async def read(location: Location) -> list[bytes]:
    return [piece async for piece in pieces(location, Inline())]


def remote(content: bytes) -> Remote:
    async def part(offset: int, length: int) -> bytes:
        assert 0 < length <= len(content) - offset
        return content[offset : offset + length]

    return Remote(len(content), part)


@pytest.mark.parametrize("content", [b"", b"a", CONTENT])
@pytest.mark.parametrize("kind", ["memory", "file", "remote", "redirect"])
@pytest_twisted.ensureDeferred
async def test_a_blob_comes_whole_and_in_pieces(content: bytes, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "blob"
    file.write_bytes(content)
    places: dict[str, Location] = {
        "memory": InMemory(content),
        "file": LocalFile(str(file), len(content)),
        "remote": remote(content),
        "redirect": Redirect("https://elsewhere.example/blob", len(content), remote(content).read),
    }
    found = await read(places[kind])
    assert b"".join(found) == content
    assert all(len(piece) <= PIECE for piece in found)


@pytest_twisted.ensureDeferred
async def test_a_file_that_has_less_than_it_should_ends_there(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"abc")
    assert await read(LocalFile(str(tmp_path / "blob"), 5)) == [b"abc"]


@pytest_twisted.ensureDeferred
async def test_a_file_that_comes_in_small_parts_comes_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blob").write_bytes(b"abcde")
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda descriptor, length, offset: pread(descriptor, 2, offset))
    assert await read(LocalFile(str(tmp_path / "blob"), 5)) == [b"ab", b"cd", b"e"]


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="No such file"):
        await read(LocalFile(str(tmp_path / "blob"), 5))
    with pytest.raises(StorageUnavailable, match="only clients"):
        await read(Redirect("https://elsewhere.example/blob", 5))

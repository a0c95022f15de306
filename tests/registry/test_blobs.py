import errno
import glob
import os
from pathlib import Path

import pytest

from nixery.images.digest import Digest
from nixery.registry.streaming import PIECE
from nixery.storage.interfaces import LocalFile, Redirect
from tests.registry.wire import World

DIGEST = Digest.of(b"the key alone matters to these tests")
PATH = f"/v2/git/blobs/{DIGEST}"


def stored(folder: Path, data: bytes, size: int | None = None) -> World:
    world = World()
    path = folder / "blob"
    path.write_bytes(data)
    world.storage.places[DIGEST] = LocalFile(str(path), len(data) if size is None else size)
    return world


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5])
def test_a_file_goes_out_whole(tmp_path: Path, size: int) -> None:
    data = bytes(i * i % 251 for i in range(size))
    reply = stored(tmp_path, data).ask(PATH)
    assert (reply.status, reply.body) == (200, data)
    assert reply.headers["Content-Length"] == str(size)


def test_a_blob_is_named_and_may_be_kept_for_ever() -> None:
    world = World()
    world.storage.blobs[DIGEST] = b"data"
    reply = world.ask(PATH)
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"data", "application/octet-stream")
    assert reply.headers["Docker-Content-Digest"] == str(DIGEST)
    assert reply.headers["ETag"] == f'"{DIGEST}"'
    assert "immutable" in reply.headers["Cache-Control"]


def test_a_large_blob_in_memory_goes_out_whole() -> None:
    world = World()
    world.storage.blobs[DIGEST] = bytes(PIECE) + b"end"
    assert world.ask(PATH).body == bytes(PIECE) + b"end"


def test_head_of_a_file_is_get_without_the_body(tmp_path: Path) -> None:
    world = stored(tmp_path, b"data")
    get, head = world.ask(PATH), world.ask(PATH, "HEAD")
    del get.headers["Date"], head.headers["Date"]
    assert (head.status, head.body, head.headers.items()) == (200, b"", get.headers.items())


def test_a_blob_elsewhere_is_redirected_to() -> None:
    world = World()
    world.storage.places[DIGEST] = Redirect("https://bucket.test/x?signature=1", 7)
    reply = world.ask(PATH)
    assert (reply.status, reply.headers["Location"]) == (307, "https://bucket.test/x?signature=1")
    assert (reply.headers["Content-Length"], reply.headers["Cache-Control"]) == ("0", "no-store")


def test_head_of_a_blob_elsewhere_is_answered_here() -> None:
    world = World()
    world.storage.places[DIGEST] = Redirect("https://bucket.test/x", 7)
    reply = world.ask(PATH, "HEAD")
    assert (reply.status, reply.headers["Content-Length"]) == (200, "7")
    assert reply.headers["Docker-Content-Digest"] == str(DIGEST)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("size", [3, 5])
def test_a_file_of_another_size_is_not_served(
    tmp_path: Path, size: int, method: str, failures: list[BaseException]
) -> None:
    reply = stored(tmp_path, b"data", size).ask(PATH, method)
    assert reply.status == 503
    assert str(tmp_path / "blob") not in map(os.path.realpath, glob.glob("/proc/self/fd/*"))
    assert str(tmp_path).encode() not in reply.body
    failures.append(OSError(errno.EIO, f"4 bytes where {size} were stored"))


def test_a_file_that_is_gone_is_an_error(tmp_path: Path, failures: list[BaseException]) -> None:
    world = World()
    world.storage.places[DIGEST] = LocalFile(str(tmp_path / "none"), 4)
    assert world.ask(PATH).status == 503
    failures.append(FileNotFoundError(errno.ENOENT, "No such file or directory"))

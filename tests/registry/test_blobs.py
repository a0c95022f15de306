import errno
import glob
import os
from pathlib import Path

import pytest

from nixery.images.digest import Digest
from nixery.registry.contents import PIECE
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


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=5-", 5, None), ("bytes=0-", 0, None), ("bytes=2-3", 2, 3)]
)
def test_a_part_of_a_blob_goes_out(tmp_path: Path, asked: str, first: int, last: int | None) -> None:
    data = bytes(i * i % 251 for i in range(2 * PIECE + 9))
    reply = stored(tmp_path, data).ask(PATH, Range=asked)
    end = len(data) - 1 if last is None else last
    assert (reply.status, reply.body) == (206, data[first : end + 1])
    assert reply.headers["Content-Range"] == f"bytes {first}-{end}/{len(data)}"
    assert reply.headers["Content-Length"] == str(end + 1 - first)
    assert reply.headers["Docker-Content-Digest"] == str(DIGEST)


def test_a_part_that_a_blob_does_not_have_is_refused(tmp_path: Path) -> None:
    reply = stored(tmp_path, b"data").ask(PATH, Range="bytes=4-")
    assert (reply.status, reply.headers["Content-Range"]) == (416, "bytes */4")
    assert b"RANGE_INVALID" in reply.body


def test_head_knows_no_parts_and_says_that_get_does(tmp_path: Path) -> None:
    reply = stored(tmp_path, b"data").ask(PATH, "HEAD", Range="bytes=2-")
    assert (reply.status, reply.headers["Content-Length"], reply.headers["Accept-Ranges"]) == (200, "4", "bytes")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_client_that_has_the_blob_is_not_sent_it(tmp_path: Path, method: str) -> None:
    reply = stored(tmp_path, b"data").ask(PATH, method, If_None_Match=f'"{DIGEST}"', Range="bytes=2-")
    assert (reply.status, reply.body, reply.headers["ETag"]) == (304, b"", f'"{DIGEST}"')
    assert "Content-Range" not in reply.headers


def test_a_blob_in_memory_goes_out_in_parts_too() -> None:
    world = World()
    world.storage.blobs[DIGEST] = b"0123456789"
    assert world.ask(PATH, Range="bytes=-3").body == b"789"

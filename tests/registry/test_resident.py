import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixery.registry.resident import can_say, in_memory

KIB = 1024
SIZE = 4096 * KIB


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A file of which nothing is in memory, and of which no more gets there than is read."""
    path = tmp_path / "file"
    path.write_bytes(bytes(SIZE))
    descriptor = os.open(path, os.O_RDWR)
    known = can_say(descriptor)
    os.fsync(descriptor)
    drop(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    known = known or can_say(descriptor)  # either will do: one that is wrong is to fail below, and not to skip
    if not known or in_memory(descriptor, 256 * KIB, 1):  # asking has the kernel read what is asked for
        pytest.skip("this file system cannot say, or keeps all")
    yield descriptor
    os.close(descriptor)


def drop(file: int) -> None:
    """Have nothing of it in memory."""
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def missed(file: int, size: int, *read: tuple[int, int]) -> bool:
    """Whether it is seen that of so many bytes only these runs were read: their offsets and lengths.

    Asking has the kernel read, and a fast disk can be done before the kernel answers; five times in a row it is not.
    """

    def seen() -> bool:
        drop(file)
        for offset, length in read:
            os.pread(file, length, offset)
        return not in_memory(file, 0, size)

    return any(seen() for _ in range(5))


def test_what_was_read_is_in_memory(file: int) -> None:
    os.pread(file, SIZE, 0)
    assert in_memory(file, 0, SIZE)
    assert in_memory(file, SIZE - 1, 1)
    assert in_memory(file, 12345, SIZE - 54321)


@pytest.mark.parametrize("size", [SIZE, SIZE // 4])
@pytest.mark.parametrize("eighth", [0, 3, 7])
def test_what_was_not_read_is_not(file: int, size: int, eighth: int) -> None:
    absent = eighth * size // 8
    assert missed(file, size, (0, absent), (absent + size // 8, SIZE))


@pytest.mark.parametrize(
    ("offset", "length", "due"),
    [
        (0, SIZE, [*range(0, SIZE, SIZE // 8), SIZE - 1]),
        (7, 300 * KIB, [7, 128 * KIB + 7, 256 * KIB + 7, 300 * KIB + 6]),
    ],
)
def test_it_is_asked_for_in_runs_and_much_at_few_places(
    file: int, monkeypatch: pytest.MonkeyPatch, offset: int, length: int, due: list[int]
) -> None:
    os.pread(file, SIZE, 0)
    preadv, places = os.preadv, []

    def noted(descriptor: int, buffers: list[bytearray], at: int, flags: int) -> int:
        places.append(at)
        return preadv(descriptor, buffers, at, flags)

    monkeypatch.setattr(os, "preadv", noted)
    assert in_memory(file, offset, length)
    assert places == due


def test_the_last_bytes_are_asked_for_too(file: int) -> None:
    os.pread(file, SIZE - 4 * KIB, 0)
    assert in_memory(file, 0, SIZE - 4 * KIB)
    assert missed(file, SIZE, (0, SIZE - 4 * KIB))


def test_a_file_system_can_say_of_what_is_and_of_what_is_not(file: int) -> None:
    drop(file)
    assert can_say(file)
    os.pread(file, SIZE, 0)
    assert can_say(file)


def test_what_was_cut_off_is_not(file: int) -> None:
    os.pread(file, SIZE, 0)
    os.truncate(file, SIZE - 1)
    assert in_memory(file, 0, SIZE - 1)
    assert not in_memory(file, 0, SIZE)


def test_what_is_no_file_cannot_say() -> None:
    read, write = os.pipe()
    assert not can_say(read)
    assert not in_memory(read, 0, 1)
    os.close(read)
    os.close(write)

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
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    if not known or in_memory(descriptor, 256 * KIB, 1):  # asking has the kernel read what is asked for
        pytest.skip("this file system cannot say, or keeps all")
    yield descriptor
    os.close(descriptor)


def test_what_was_read_is_in_memory(file: int) -> None:
    os.pread(file, SIZE, 0)
    assert in_memory(file, 0, SIZE)
    assert in_memory(file, SIZE - 1, 1)
    assert in_memory(file, 12345, SIZE - 54321)


@pytest.mark.parametrize("size", [SIZE, SIZE // 4])
@pytest.mark.parametrize("eighth", [0, 3, 7])
def test_what_was_not_read_is_not(file: int, size: int, eighth: int) -> None:
    absent = eighth * size // 8
    os.pread(file, absent, 0)
    os.pread(file, SIZE, absent + size // 8)
    assert not in_memory(file, 0, size)


def test_the_last_bytes_are_asked_for_too(file: int) -> None:
    os.pread(file, SIZE - 4 * KIB, 0)
    assert in_memory(file, 0, SIZE - 4 * KIB)
    assert not in_memory(file, 0, SIZE)


def test_a_file_system_can_say_of_what_is_not(file: int) -> None:
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

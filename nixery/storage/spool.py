"""Blobs while they are written: files of this process's own, checked before they get their names."""

import contextlib
import errno
import hashlib
import io
import os
import tempfile

from nixery.concurrency.lair import Lair
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest

_PART = 64 << 10
"""Bytes that are hashed at a time."""


class Spool:
    """A folder of this process's own below `parent`. All calls block."""

    def __init__(self, parent: str) -> None:
        self._lair = Lair(parent)

    def open(self) -> None:
        """Make the folder, and remove those of processes that died."""
        self._lair.open()

    def close(self) -> None:
        """Remove the folder and all that is left in it."""
        self._lair.close()

    def stage(self) -> tuple[int, str]:
        """A new private file: its descriptor and path."""
        descriptor, path = tempfile.mkstemp(dir=self._lair.path)
        os.fchmod(descriptor, 0o644)
        return descriptor, path


class Wanted(io.FileIO):
    """A file of the spool that a thread reads, which cannot be stopped: once it is removed, reading fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        """See io.FileIO."""
        if not os.fstat(self.fileno()).st_nlink:
            raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        return super().read(size)


def require(descriptor: int, digest: Digest, size: int) -> None:
    """Raise StorageUnavailable unless a file is that blob; `size` in bytes. Reads all of it."""
    written = os.fstat(descriptor).st_size
    if written != size:
        raise StorageUnavailable(f"the blob {digest} was to have {size} bytes and has {written}")
    os.lseek(descriptor, 0, os.SEEK_SET)
    found = hashed(descriptor)
    if found != digest.hex:
        raise StorageUnavailable(f"the blob {digest} was to have this digest and has sha256:{found}: try again")


def hashed(descriptor: int) -> str:
    """The SHA-256 (hexadecimal) of what is left of a file, which is read to its end.

    hashlib.file_digest takes a buffer of 256 KiB for each file, and zeroes it: nine tenths of the time of a small one.
    """
    found = hashlib.sha256()
    while data := os.read(descriptor, _PART):
        found.update(data)
    return found.hexdigest()


def discard(descriptor: int, path: str) -> None:
    """Close a staged file, and remove it unless it has another name by now."""
    os.close(descriptor)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def append(descriptor: int, data: bytes) -> None:
    """Write all of it at the end."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]

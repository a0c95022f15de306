"""Which blobs in a folder are known to be what their names say."""

import enum
import os
import threading
from stat import S_ISREG

from twisted.logger import Logger

from nixery.concurrency.recent import Recent
from nixery.images.digest import Digest
from nixery.storage.interfaces import LocalFile
from nixery.storage.spool import hashed

_REMEMBERED = 100_000
"""Blobs that are remembered, at some 300 bytes each."""


class Doubt(enum.Enum):
    """Stands for a file whose bytes have not been hashed since it last changed."""

    UNPROVEN = enum.auto()


class Proven:
    """Remembers by what stat said of a file then whether its bytes had their digest.

    A file that was truncated, emptied or written over has another stat, and is hashed again. All calls block.
    """

    _log = Logger()

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Recent[str, tuple[tuple[int, int, int], bool]] = Recent(_REMEMBERED)

    def add(self, path: str, stat: os.stat_result, good: bool = True) -> None:
        """Remember a blob."""
        with self._lock:
            self._seen.put(path, (_stamp(stat), good))

    def find(self, path: str) -> LocalFile | Doubt | None:
        """The blob at `path`; None when there is none or what is there is damaged, or no file."""
        try:
            stat = os.stat(path)
        except FileNotFoundError:
            return None
        if not S_ISREG(stat.st_mode):  # to open a pipe would take for ever
            return None
        with self._lock:
            seen = self._seen.get(path)
        if seen is None or seen[0] != _stamp(stat):
            return Doubt.UNPROVEN
        return LocalFile(path, stat.st_size) if seen[1] else None

    def prove(self, path: str, digest: Digest) -> LocalFile | None:
        """Hash the blob at `path`, and give it if that is its digest."""
        try:
            with open(path, "rb") as file:
                stat = os.fstat(file.fileno())
                good = hashed(file.fileno()) == digest.hex
        except FileNotFoundError:
            return None
        self.add(path, stat, good)
        if not good:
            self._log.error("{path} is not the blob that its name says; it is made again", path=path)
            return None
        return LocalFile(path, stat.st_size)


def _stamp(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns

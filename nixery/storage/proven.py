"""Which blobs in a folder are known to be what their names say."""

import hashlib
import os
from collections import OrderedDict

from twisted.logger import Logger

from nixery.images.digest import Digest
from nixery.storage.interfaces import LocalFile

_REMEMBERED = 100_000
"""Blobs that are remembered, at some 200 bytes each."""


class Proven:
    """Blobs whose bytes were seen to have their digest, by what stat said of them then.

    A file that was truncated, emptied or written over has another stat, and is hashed again (blocking calls).
    """

    _log = Logger()

    def __init__(self) -> None:
        self._stamps: OrderedDict[Digest, tuple[int, int, int]] = OrderedDict()

    def add(self, digest: Digest, stat: os.stat_result) -> None:
        """Remember a blob as good."""
        self._stamps[digest] = _stamp(stat)
        self._stamps.move_to_end(digest)
        while len(self._stamps) > _REMEMBERED:
            self._stamps.popitem(last=False)

    def find(self, path: str, digest: Digest) -> LocalFile | None:
        """The blob in the file at `path` if that is what it holds."""
        try:
            stat = os.stat(path)
            if self._stamps.get(digest) != _stamp(stat):
                with open(path, "rb") as file:
                    stat = os.fstat(file.fileno())
                    if hashlib.file_digest(file, "sha256").hexdigest() != digest.hex:
                        self._log.error("{path} is not the blob that its name says; it is made again", path=path)
                        return None
                self.add(digest, stat)
        except FileNotFoundError:
            return None
        return LocalFile(path, stat.st_size)


def _stamp(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns

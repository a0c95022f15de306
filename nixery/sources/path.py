"""A package set in a folder of this host. Any tag means its newest state."""

import hashlib
import os
import stat
from collections.abc import Iterator

from nixery.concurrency.pool import Pool
from nixery.concurrency.turns import Turns
from nixery.errors import SourceUnavailable
from nixery.images.graph import StorePath
from nixery.images.name import Tag
from nixery.images.source import PinnedSource

_NOT_CONTENT = frozenset({".git"})


class PathSource:
    """See Source. Pinned by the store path, where it lies in the Nix store, and else by a hash of its content."""

    def __init__(self, path: str, threads: Pool) -> None:
        self._path = path
        self._threads = threads
        self._pins = Turns(self._pin)

    async def pin(self, tag: Tag) -> PinnedSource:
        """See Source. What was edited before the call is seen, and however many call, one walk is under way."""
        return await self._pins.join()

    async def _pin(self) -> PinnedSource:
        try:
            pin = await self._threads.run(_pin, self._path)
        except OSError as error:
            raise SourceUnavailable(f"the package set {self._path} cannot be read: {error.strerror}") from error
        return PinnedSource("path", pin, self._path)


def _pin(path: str) -> str:
    real = os.path.realpath(path)
    return real if _immutable(real) else content_hash(path)


def _immutable(path: str) -> bool:
    try:
        StorePath.parse(path)
    except ValueError:
        return False
    return not os.stat(path).st_mode & 0o222


def content_hash(path: str) -> str:
    """The SHA-256 (hexadecimal) of a file or folder: names, kinds, executable bits, link targets and contents.

    What lies in a folder named .git is left out. Raises OSError.
    """
    whole = hashlib.sha256()
    for name, entry in _walk(path, b""):
        whole.update(b"%d:%s %s\n" % (len(name), name, entry))
    return whole.hexdigest()


def _walk(path: str, name: bytes) -> Iterator[tuple[bytes, bytes]]:
    mode = os.stat(path).st_mode if not name else os.lstat(path).st_mode
    if stat.S_ISDIR(mode):
        yield name, b"folder"
        for child in sorted(os.listdir(path)):
            if child not in _NOT_CONTENT:
                yield from _walk(os.path.join(path, child), name + b"/" + os.fsencode(child))
    elif stat.S_ISLNK(mode):
        yield name, b"link " + hashlib.sha256(os.fsencode(os.readlink(path))).digest()
    elif stat.S_ISREG(mode):
        with open(path, "rb") as file:
            yield name, b"file %d " % bool(mode & 0o100) + hashlib.file_digest(file, "sha256").digest()

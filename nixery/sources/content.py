"""The hash of a folder's content, made again without reading again what has not changed."""

import errno
import hashlib
import os
import stat
import struct
import time
from collections.abc import Callable, Iterator

NOT_CONTENT = ".git"
"""What has this name is left out, with all that is in it."""

_STAMP = struct.Struct("=QQqqq")
_UNSETTLED_NS = 2_000_000_000
"""A file that changed this recently may change again without another stamp: no file system's clock is coarser."""

_REPLACED = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ELOOP, errno.ENXIO}
"""What the calls say of a name that vanished, or became something else, since it was listed."""


class Content:
    """Hashes a file or folder again and again. Not for two threads at once.

    A file's hash is kept with its inode, size and times, as git's index does, for at most `remembered` files
    (some 250 bytes each).
    """

    def __init__(self, remembered: int = 200_000) -> None:
        self._remembered = remembered
        self._hashes: dict[bytes, bytes] = {}

    def hash(self, path: str, enter: Callable[[str], None] = lambda path: None) -> str:
        """The SHA-256 (hexadecimal) of names, kinds, executable bits, link targets and contents.

        `enter` is called with the path itself, each folder, and each file that has another name elsewhere, before
        they are read. Raises OSError; what vanishes or is replaced while we look may be left out.
        """
        look = _Look(self._hashes, self._remembered, enter)
        whole = hashlib.sha256()
        for name, entry in look.entries(path):
            whole.update(b"%d:%s %s\n" % (len(name), name, entry))
        self._hashes = look.seen
        return whole.hexdigest()


class _Look:
    """One walk. `seen`: the hashes to remember."""

    def __init__(self, known: dict[bytes, bytes], most: int, enter: Callable[[str], None]) -> None:
        self.seen: dict[bytes, bytes] = {}
        self._known = known
        self._most = most
        self._enter = enter
        self._settled_ns = time.time_ns() - _UNSETTLED_NS

    def entries(self, root: str) -> Iterator[tuple[bytes, bytes]]:
        """Names below the root, and what is there: a folder first, then its children in the order of their names."""
        children: list[tuple[str, bytes]] = []
        yield b"", self._entry(root, b"", os.stat(root), children)
        while children:
            path, name = children.pop()
            entry = self._entry_if_there(path, name, children)
            if entry:
                yield name, entry

    def _entry_if_there(self, path: str, name: bytes, children: list[tuple[str, bytes]]) -> bytes:
        try:
            return self._entry(path, name, os.lstat(path), children)
        except OSError as error:
            if error.errno in _REPLACED:
                return b""
            raise

    def _entry(self, path: str, name: bytes, status: os.stat_result, children: list[tuple[str, bytes]]) -> bytes:
        if not name or stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1):
            self._enter(path)
        if stat.S_ISDIR(status.st_mode):
            for child in sorted(os.listdir(path), reverse=True):
                if child != NOT_CONTENT:
                    children.append((f"{path}/{child}", name + b"/" + os.fsencode(child)))
            return b"folder"
        if stat.S_ISLNK(status.st_mode):
            return b"link " + hashlib.sha256(os.fsencode(os.readlink(path))).digest()
        if stat.S_ISREG(status.st_mode):
            return b"file %d " % bool(status.st_mode & 0o100) + self._file(path, status)
        return b""

    def _file(self, path: str, status: os.stat_result) -> bytes:
        stamp = _stamp(status)
        digest = self._known.get(stamp)
        if digest is None:
            with open(path, "rb", opener=_open) as file:
                status = os.fstat(file.fileno())  # of what is read: another file may have taken the name
                stamp = _stamp(status)
                digest = hashlib.file_digest(file, "sha256").digest()
        if status.st_ctime_ns < self._settled_ns and len(self.seen) < self._most:
            self.seen[stamp] = digest
        return digest


def _stamp(status: os.stat_result) -> bytes:
    return _STAMP.pack(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe that took a file's name must not hold us

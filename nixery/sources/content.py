"""What a folder contains: its hash by Nix's own measure, and stamps that tell whether it was edited."""

import errno
import hashlib
import os
import stat
import struct
import time
from collections.abc import Callable, Iterator

from attrs import frozen

NOT_CONTENT = ".git"
"""What has this name is left out, with all that is in it."""

_PIECE = 1 << 20
_STAMP = struct.Struct("=QQQQqq")
_UNSETTLED_NS = 2_000_000_000
"""A file that changed this recently may change again without another stamp: no file system's clock is coarser."""

_REPLACED = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ELOOP, errno.ENXIO}
"""What the calls say of a name that vanished, or became something else, since it was listed."""


@frozen
class Stamps:
    """What inodes, kinds, sizes and times below a folder were. `settled`: whether every later edit changes them."""

    digest: bytes
    settled: bool


def nar_hash(path: str, enter: Callable[[str], None] = lambda path: None, seconds: float = float("inf")) -> str:
    """The SHA-256 (hexadecimal) of a file or folder as a Nix archive: names, executable bits, link targets, contents.

    That is the hash by which Nix knows the copy that path.nix makes, with the same left out: .git, pipes, sockets. The
    format is in Dolstra's thesis "The Purely Functional Software Deployment Model", figure 5.2. `enter` is called with
    the path itself, each folder, and each file that has another name elsewhere, before they are read. Raises OSError,
    as TimeoutError after that many seconds; what vanishes or is replaced while we look may be left out.
    """
    archive = _Archive(enter, seconds)
    archive.write(path)
    return archive.hash.hexdigest()


def stamps(path: str) -> Stamps:
    """The stamps of all that is part of the content; raises OSError."""
    whole = hashlib.sha256()
    youngest = 0
    settled_ns = time.time_ns() - _UNSETTLED_NS
    pending = [path]
    while pending:
        place = pending.pop()
        try:
            status = os.stat(place) if place == path else os.lstat(place)
            children = _listed(place) if stat.S_ISDIR(status.st_mode) else []
        except OSError as error:
            if place == path or error.errno not in _REPLACED:
                raise
            continue
        whole.update(os.fsencode(place) + b"\0" + _stamp(status))
        youngest = max(youngest, status.st_ctime_ns)
        pending.extend(f"{place}/{child.name}" for child in children)
    return Stamps(whole.digest(), youngest < settled_ns)


def _stamp(status: os.stat_result) -> bytes:
    times = status.st_mtime_ns, status.st_ctime_ns
    return _STAMP.pack(status.st_dev, status.st_ino, status.st_mode, status.st_size, *times)


def _listed(folder: str) -> list[os.DirEntry[str]]:
    """The children that are content, the last first, in the order of their names' bytes."""
    with os.scandir(folder) as entries:
        children = [entry for entry in entries if entry.name != NOT_CONTENT]
    return sorted(children, key=lambda child: os.fsencode(child.name), reverse=True)


def _string(text: bytes) -> bytes:
    return _length(len(text)) + text + _padding(len(text))


def _length(size: int) -> bytes:
    return size.to_bytes(8, "little")


def _padding(size: int) -> bytes:
    return b"\0" * (-size % 8)


def _words(*words: bytes) -> bytes:
    return b"".join(map(_string, words))


_MAGIC = _words(b"nix-archive-1")
_ENTRY, _NODE = _words(b"entry", b"(", b"name"), _words(b"node")
_FOLDER = _words(b"(", b"type", b"directory")
_LINK = _words(b"(", b"type", b"symlink", b"target")
_FILE = _words(b"(", b"type", b"regular", b"contents")
_PROGRAM = _words(b"(", b"type", b"regular", b"executable", b"", b"contents")
_END = _words(b")")


class _Archive:
    """One walk, hashed as it goes. What is still to come is a stack: paths, each with what comes before, or an end."""

    def __init__(self, enter: Callable[[str], None], seconds: float) -> None:
        self.hash = hashlib.sha256(_MAGIC)
        self._enter = enter
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._pending: list[tuple[str | os.DirEntry[str], bytes]] = []

    def write(self, root: str) -> None:
        self._enter(root)
        if stat.S_ISDIR(os.stat(root).st_mode):
            self._folder(root, b"", _END)
        else:
            self._file(root, b"", _END)
        while self._pending:
            entry, text = self._pending.pop()
            if isinstance(entry, str):
                self.hash.update(text)
            else:
                self._child(entry, text)

    def _child(self, entry: os.DirEntry[str], head: bytes) -> None:
        try:
            if entry.is_symlink():
                self.hash.update(head + _LINK + _string(os.fsencode(os.readlink(entry.path))) + _END + _END)
            elif entry.is_dir(follow_symlinks=False):
                self._enter(entry.path)
                self._folder(entry.path, head, _END + _END)
            elif entry.is_file(follow_symlinks=False):
                self._file(entry.path, head, _END + _END)
        except OSError as error:
            if error.errno not in _REPLACED:
                raise

    def _folder(self, path: str, head: bytes, end: bytes) -> None:
        children = _listed(path)
        self.hash.update(head + _FOLDER)
        self._pending.append(("", end))
        self._pending.extend((child, _ENTRY + _string(os.fsencode(child.name)) + _NODE) for child in children)

    def _file(self, path: str, head: bytes, end: bytes) -> None:
        # A pipe that took a file's name must not hold us.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return
            if status.st_nlink > 1:
                self._enter(path)
            kind = _PROGRAM if status.st_mode & stat.S_IXUSR else _FILE
            self.hash.update(head + kind + _length(status.st_size))
            for piece in self._pieces(path, descriptor, status.st_size):
                self.hash.update(piece)
            self.hash.update(_padding(status.st_size) + end)
        finally:
            os.close(descriptor)

    def _pieces(self, path: str, descriptor: int, left: int) -> Iterator[bytes]:
        while left:
            if time.monotonic() > self._deadline:
                words = f"reading all of the folder takes longer than {self._seconds:g} s"
                raise TimeoutError(errno.ETIMEDOUT, words, path)
            piece = os.read(descriptor, min(left, _PIECE))
            if not piece:  # cut off while we read: told by the watch, or by the next stamps
                return
            left -= len(piece)
            yield piece

"""The store's directories and small files, read from the disk as a join of an image root asks for them."""

import errno
import os
import stat
from collections.abc import Mapping

from attrs import field, frozen

from nixery.errors import PackingFailed
from nixery.images.entries import Directory, Entry, File, Link
from nixery.packing.names import shown, to_bytes, to_text

MAX_READ = 1 << 20
"""Bytes of the largest file that is read for a join."""

_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENAMETOOLONG}
"""What a path fails with that leads nowhere. All else, such as too many open files, says nothing of the store."""


@frozen
class StoreListing:
    """See Listing; blocks. `store`: the directory that holds the store objects, such as /nix/store.

    A link that leads out of the store leads nowhere: no file of the host gets into an image, and none changes it.
    What is in the store and cannot be read, or is of no kind that a store has, is PackingFailed.
    """

    store: str
    _inside: bytes = field(init=False, repr=False)

    @_inside.default
    def _(self) -> bytes:
        return os.path.realpath(to_bytes(self.store)) + b"/"

    def entries(self, path: str) -> Mapping[str, Entry]:
        """See Listing; raises PackingFailed."""
        top, kind = self._followed(to_bytes(path))
        if kind != stat.S_IFDIR:
            return {}
        try:
            with os.scandir(top) as found:
                return {to_text(entry.name): self._entry(entry) for entry in found}
        except OSError as error:
            raise _unreadable(top, error) from error

    def read(self, path: str) -> str | None:
        """See Listing; bytes that are not UTF-8 become lone surrogates. Raises PackingFailed, also over MAX_READ."""
        source, kind = self._followed(to_bytes(path))
        if kind != stat.S_IFREG:
            return None
        try:
            with open(source, "rb") as file:
                data = file.read(MAX_READ + 1)
        except OSError as error:
            raise _unreadable(source, error) from error
        if len(data) > MAX_READ:
            raise PackingFailed(f"{shown(source)} has more than {MAX_READ} bytes, too many to read for an image root")
        return to_text(data)

    def _entry(self, entry: os.DirEntry[bytes]) -> Entry:
        if entry.is_symlink():
            _, kind = self._followed(entry.path)
            return Link(to_text(os.readlink(entry.path)), kind == stat.S_IFDIR)
        if entry.is_dir():
            return Directory()
        if entry.is_file():
            return File(bool(entry.stat().st_mode & stat.S_IXUSR))
        raise PackingFailed(f"{shown(entry.path)} is neither a file nor a directory nor a link, as all in a store is")

    def _followed(self, path: bytes) -> tuple[bytes, int]:
        """Where a path leads when all its links are followed, and what is there; 0 for nothing, or out of the store.

        The kernel says so (proc(5)), where os.path.realpath would ask it about each directory on the way.
        """
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in _NOWHERE:
                return path, 0
            raise _unreadable(path, error) from error
        try:
            real = os.readlink(b"/proc/self/fd/%d" % descriptor)
            return real, stat.S_IFMT(os.fstat(descriptor).st_mode) if real.startswith(self._inside) else 0
        except OSError as error:
            raise _unreadable(path, error) from error
        finally:
            os.close(descriptor)


def _unreadable(path: bytes, error: OSError) -> PackingFailed:
    return PackingFailed(f"cannot read {shown(path)}: {error.strerror}")

"""A folder in which nothing is ever half written: the blocking calls under the filesystem backend.

What is written becomes visible by one rename or link, after its bytes are on the disk; then the folder that names it
is synced too, so that a crash of the host takes nothing back that was answered.
"""

import contextlib
import errno
import os
from collections.abc import Iterator

from nixery.concurrency.lair import locked
from nixery.storage.bucket import SMALL
from nixery.storage.spool import Spool


class Folder:
    """The storage folder of one process. Others may work in it at the same time."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self._spool = Spool(self.path("staging"))

    def open(self) -> None:
        """Make our staging folder, and remove those of processes that died."""
        self._spool.open()

    def close(self) -> None:
        """Remove our staging folder and all that is left in it."""
        self._spool.close()

    def path(self, *names: str) -> str:
        """A path in the folder."""
        return os.path.join(self.root, *names)

    def stage(self) -> tuple[int, str]:
        """A new private file: its descriptor and path."""
        return self._spool.stage()

    def publish(self, descriptor: int, staged: str, name: str) -> None:
        """Sync a staged file and give it its name, whatever had that name before."""
        target = self._prepare(name)
        os.fsync(descriptor)
        os.rename(staged, target)
        _sync_folder(os.path.dirname(target))

    def create(self, name: str, data: bytes) -> bool:
        """Write a small file unless there is one of that name; says whether it was written."""
        target = self._prepare(name)
        with self._written(data) as staged:
            try:
                os.link(staged, target)
            except FileExistsError:
                return False
        _sync_folder(os.path.dirname(target))
        return True

    def swap(self, name: str, old: bytes, new: bytes) -> bool:
        """Write `new` over a file that holds `old`; says whether it was written."""
        target = self._prepare(name)
        with locked(os.path.dirname(target)), self._written(new) as staged:
            if self.read(name) != old:
                return False
            os.rename(staged, target)
            _sync_folder(os.path.dirname(target))
        return True

    def remove(self, name: str, old: bytes) -> bool:
        """Remove a file that holds `old`; says whether it was removed."""
        target = self.path(name)
        with contextlib.suppress(FileNotFoundError), locked(os.path.dirname(target)):
            if self.read(name) == old:
                os.unlink(target)
                _sync_folder(os.path.dirname(target))
                return True
        return False

    def read(self, name: str) -> bytes | None:
        """A small file's bytes, or None where there is none; one that is large raises OSError."""
        try:
            with open(self.path(name), "rb") as file:
                data = file.read(SMALL + 1)
        except FileNotFoundError:
            return None
        if len(data) > SMALL:
            raise OSError(errno.EFBIG, f"{name} has more than {SMALL} bytes")
        return data

    def names(self, folder: str) -> Iterator[str]:
        """The files right in a folder, in no order; none where there is no such folder."""
        with contextlib.suppress(FileNotFoundError), os.scandir(self.path(folder)) as entries:
            yield from (entry.name for entry in entries if entry.is_file(follow_symlinks=False))

    def size(self, *names: str) -> int | None:
        """The bytes of a file, None where there is none."""
        try:
            return os.stat(self.path(*names)).st_size
        except FileNotFoundError:
            return None

    def _prepare(self, name: str) -> str:
        target = self.path(name)
        parent = os.path.dirname(target)
        if not os.path.isdir(parent):
            os.makedirs(parent, exist_ok=True)
            while len(parent) > len(self.root):
                parent = os.path.dirname(parent)
                _sync_folder(parent)
            with contextlib.suppress(PermissionError):  # what is above is not ours
                _sync_folder(os.path.dirname(parent))
        return target

    @contextlib.contextmanager
    def _written(self, data: bytes) -> Iterator[str]:
        """A staged file with these bytes, synced; removed at the end unless it was renamed."""
        descriptor, staged = self.stage()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            yield staged
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(staged)


def _sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

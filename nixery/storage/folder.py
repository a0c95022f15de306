"""A folder in which nothing is ever half written: the blocking calls under the filesystem backend.

What is written becomes visible by one rename or link, after its bytes are on the disk; then the folder that names it
is synced too, so that a crash of the host takes nothing back that was answered.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator

_PRIVATE = "staging"


class Folder:
    """The storage folder of one process. Others may work in it at the same time."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self._own: str | None = None
        self._lock = -1

    def open(self) -> None:
        """Make a staging folder of our own, locked as long as we live, and remove those of processes that died."""
        staging = self.path(_PRIVATE)
        os.makedirs(staging, exist_ok=True)
        with self._locked(staging):
            for name in os.listdir(staging):
                if name != _LOCK:
                    _remove_if_dead(os.path.join(staging, name))
            self._own = tempfile.mkdtemp(prefix="daemon-", dir=staging)
            self._lock = os.open(os.path.join(self._own, _LOCK), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove our staging folder and all that is left in it."""
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            os.close(self._lock)
            self._own = None

    def path(self, *names: str) -> str:
        """A path in the folder."""
        return os.path.join(self.root, *names)

    def stage(self) -> tuple[int, str]:
        """A new private file: its descriptor and path."""
        if self._own is None:
            raise OSError("the storage is not running")
        descriptor, path = tempfile.mkstemp(dir=self._own)
        os.fchmod(descriptor, 0o644)
        return descriptor, path

    def publish(self, descriptor: int, staged: str, name: str) -> None:
        """Sync a staged file and give it its name, whatever had that name before."""
        target = self._prepare(name)
        os.fsync(descriptor)
        os.rename(staged, target)
        _sync_folder(os.path.dirname(target))

    def discard(self, descriptor: int, staged: str) -> None:
        """Close a staged file, and remove it unless it was published."""
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(staged)

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
        with self._locked(os.path.dirname(target)), self._written(new) as staged:
            if self.read(name) != old:
                return False
            os.rename(staged, target)
            _sync_folder(os.path.dirname(target))
        return True

    def read(self, name: str) -> bytes | None:
        """A small file's bytes, or None where there is none."""
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def _prepare(self, name: str) -> str:
        target = self.path(name)
        parent = os.path.dirname(target)
        if not os.path.isdir(parent):
            os.makedirs(parent, exist_ok=True)
            while len(parent) >= len(self.root):
                parent = os.path.dirname(parent)
                _sync_folder(parent)
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

    @contextlib.contextmanager
    def _locked(self, folder: str) -> Iterator[None]:
        """Alone among all processes and threads, as far as this folder is concerned."""
        descriptor = os.open(os.path.join(folder, _LOCK), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


_LOCK = ".lock"


def _remove_if_dead(folder: str) -> None:
    """Remove another process's staging folder when nobody holds its lock."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        descriptor = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        finally:
            os.close(descriptor)
    shutil.rmtree(folder, ignore_errors=True)


def _sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

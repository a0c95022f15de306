"""A folder of this process's own among those of others, which the next process removes if this one dies."""

import contextlib
import fcntl
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator

_LOCK = ".lock"
_PREFIX = "daemon-"


class Lair:
    """A private folder below `parent`, kept as long as we hold its lock. All calls block for a moment."""

    def __init__(self, parent: str) -> None:
        self._parent = os.path.abspath(parent)
        self._path: str | None = None
        self._lock = -1
        self._opening = threading.Lock()

    @property
    def path(self) -> str:
        """The folder, made again if somebody has removed it; raises OSError when it is not open."""
        with self._opening:  # threads that closed the lock twice would close what has got its number meanwhile
            if self._path is not None and not os.path.isdir(self._path):
                self.close()
                self.open()
            if self._path is None:
                raise OSError(f"no folder of ours is open in {self._parent}")
            return self._path

    def open(self) -> None:
        """Make the folder, and remove those of processes that died."""
        os.makedirs(self._parent, exist_ok=True)
        with locked(self._parent):
            for name in os.listdir(self._parent):
                if name.startswith(_PREFIX):
                    _remove_if_dead(os.path.join(self._parent, name))
            self._path = tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent)
            self._lock = os.open(os.path.join(self._path, _LOCK), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove the folder and all that is left in it."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            os.close(self._lock)
            self._path = None


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Alone among all processes and threads, as far as this folder is concerned."""
    descriptor = os.open(os.path.join(folder, _LOCK), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def alone(folder: str) -> str:
    """A folder that no other living process has: this one, or else one beside it. It stays when we end.

    The lock is held as long as the process lives, also when it forks to become a daemon. Raises OSError.
    """
    for number in itertools.count(1):
        path = folder if number == 1 else f"{folder}.{number}"
        os.makedirs(path, exist_ok=True)
        descriptor = os.open(os.path.join(path, _LOCK), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return path
    raise AssertionError("numbers do not end")


def _remove_if_dead(folder: str) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        descriptor = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        finally:
            os.close(descriptor)
    shutil.rmtree(folder, ignore_errors=True)

"""Put a finished folder in the place of an older one, in one step."""

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nixery.errors import ConfigError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def replaced(folder: Path, mark: str) -> Iterator[Path]:
    """Gives a new folder beside `folder`; at the end of the block it takes the place of `folder`, unless it failed.

    `mark`: a file that shows that an existing `folder` is what it should be. Raises ConfigError for any other folder
    that is not empty, so that a slip in an argument deletes nothing.
    """
    folder = folder.absolute()
    if folder.exists() and not (folder / mark).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there and has no {mark}: it is not an index, and is left alone")
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield new
        new.chmod(0o755)
        _put(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _put(new: Path, folder: Path) -> None:
    """Afterwards `new` is the old folder, or nothing."""
    if folder.exists():
        with suppress(OSError):
            _exchange(new, folder)
            return
        # Some file systems cannot exchange: for a blink there is no folder.
        old = Path(f"{new}.old")
        folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old)
    else:
        new.rename(folder)


def _exchange(one: Path, other: Path) -> None:
    """renameat2(2) with RENAME_EXCHANGE, which Python's os does not have."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")

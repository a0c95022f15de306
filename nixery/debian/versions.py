"""An index in its place: OUT is a link to OUT.d/<pin>, and leads from one index to the next in one step.

What is below OUT.d/<pin> never changes, so that who has begun to read an index ends with the same one. The last two
are kept: an evaluation takes seconds, and indexes are made minutes apart.
"""

import ctypes
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nixery.debian.description import DESCRIPTION, pin_of_content
from nixery.errors import ConfigError

_KEPT = 2
_PIN = re.compile(r"[0-9a-f]{64}")
_NEW = "new-"
_LEFTOVER = re.compile(r"new-([a-z0-9_]{8}|link|old|broken)")
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def new_version(out: Path) -> Iterator[Path]:
    """Gives a new folder for an index, to be filled and given to `publish`; it is gone at the end if it was not.

    Waits for whoever else makes an index for `out`. Raises ConfigError for any other folder that is not empty, so that
    a slip in an argument deletes nothing; OSError.
    """
    if out.exists() and not (out / DESCRIPTION).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is there and has no {DESCRIPTION}: it is not an index, and is left alone")
    versions = _versions(out)
    versions.mkdir(parents=True, exist_ok=True)
    with _alone(versions):
        new = Path(tempfile.mkdtemp(prefix=_NEW, dir=versions))
        try:
            yield new
        finally:
            shutil.rmtree(new, ignore_errors=True)
            shutil.rmtree(versions / f"{_NEW}broken", ignore_errors=True)


def publish(new: Path, out: Path, pin: str) -> None:
    """Let `out` lead to the index in the folder `new`, inside the block of `new_version`. Raises OSError."""
    version = _versions(out) / pin
    new.chmod(0o755)
    _sync(new)
    if version.exists() and pin_of_content(version) == pin:
        # The same packages: only what it was made of is news.
        (new / DESCRIPTION).replace(version / DESCRIPTION)
    else:
        _put(new, version)
    _lead(out, version)
    _prune(version)


def _put(new: Path, version: Path) -> None:
    """In the place of what a host that broke down has left of it, if anything."""
    if version.exists():
        version.rename(version.with_name(f"{_NEW}broken"))
    new.rename(version)


def _versions(out: Path) -> Path:
    out = out.absolute()
    return out.with_name(f"{out.name}.d")


@contextmanager
def _alone(versions: Path) -> Iterator[None]:
    """One run at a time. What an earlier one left when it was killed is cleared away."""
    descriptor = os.open(versions, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for leftover in versions.iterdir():
            if _LEFTOVER.fullmatch(leftover.name):
                _remove(leftover)
        yield
    finally:
        os.close(descriptor)


def _lead(out: Path, version: Path) -> None:
    """Relative, so that both may be moved together."""
    link = version.with_name(f"{_NEW}link")
    link.symlink_to(Path(version.parent.name, version.name))
    if out.is_symlink() or not out.exists():
        link.replace(out)
    else:
        _take_place(link, out)


def _take_place(link: Path, out: Path) -> None:
    """Of a folder, as earlier versions of Nixery wrote it; it is kept like any other version."""
    old = link.with_name(f"{_NEW}old")
    try:
        _exchange(link, out)
    except OSError:
        # Some file systems cannot exchange: for a blink there is nothing.
        out.rename(old)
        link.rename(out)
    else:
        link.rename(old)
    pin = _pin(old)
    if pin is None or link.with_name(pin).exists():
        _remove(old)
    else:
        old.rename(link.with_name(pin))


def _pin(index: Path) -> str | None:
    """What an index says of itself; None for what is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        pin = json.loads((index / DESCRIPTION).read_bytes())["pin"]
        return pin if isinstance(pin, str) and _PIN.fullmatch(pin) else None
    return None


def _prune(current: Path) -> None:
    """By the time at which they were published: the one that is used now is the newest, and stays in any case."""
    others = [folder for folder in current.parent.iterdir() if _PIN.fullmatch(folder.name) and folder != current]
    others.sort(key=lambda folder: folder.stat().st_mtime_ns, reverse=True)
    for folder in others[_KEPT - 1 :]:
        (folder / DESCRIPTION).unlink(missing_ok=True)  # first, so that nobody takes what is left of it for an index
        _remove(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync(folder: Path) -> None:
    """syncfs(2), for hundreds of files at once: a name must not last longer than what it stands for."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(descriptor)


def _exchange(one: Path, other: Path) -> None:
    """renameat2(2) with RENAME_EXCHANGE, which Python's os does not have."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")

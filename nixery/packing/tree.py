"""Store objects as tar entries: files, directories and links in the order of their names' bytes."""

import os
import stat

from nixery.errors import PackingFailed
from nixery.packing.names import shown
from nixery.packing.tar import Tar

_WHITEOUT = b".wh."  # OCI image-spec 1.1, "Whiteouts"


def add_tree(tar: Tar, top: bytes) -> None:
    """Append what is at the absolute path `top`, under its own path without the slash before it.

    Keeps in memory the names of the directories that it is in, and no more. Files with several hard links are stored
    each time, so that the result does not depend on whether Nix has optimised the store. Raises PackingFailed, with
    the path, for what cannot be read and for what no store has, such as sockets.
    """
    try:
        pending = [(top, stat.S_IFMT(os.lstat(top).st_mode))]
        while pending:
            path, kind = pending.pop()
            _add(tar, path, kind)
            if kind == stat.S_IFDIR:
                pending += _scan(path)
    except OSError as error:
        raise PackingFailed(f"cannot read {shown(error.filename or top)}: {error.strerror}") from error


def _add(tar: Tar, path: bytes, kind: int) -> None:
    name = path[1:]
    if os.path.basename(path).startswith(_WHITEOUT):
        raise PackingFailed(f"{shown(path)} cannot be in a layer: names with .wh. in front delete what is below them")
    if kind == stat.S_IFREG:
        tar.copy(name, path)
    elif kind == stat.S_IFDIR:
        tar.directory(name)
    elif kind == stat.S_IFLNK:
        tar.link(name, os.readlink(path))
    else:
        raise PackingFailed(f"{shown(path)} is neither a file nor a directory nor a link, and cannot be in a store")


def _scan(path: bytes) -> list[tuple[bytes, int]]:
    """Paths and kinds of what is in a directory, the last name first."""
    with os.scandir(path) as entries:
        return sorted(((entry.path, _kind(entry)) for entry in entries), reverse=True)


def _kind(entry: os.DirEntry[bytes]) -> int:
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    return stat.S_IFLNK if entry.is_symlink() else 0

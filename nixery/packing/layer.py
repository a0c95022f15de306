"""Layers packed: store paths, or the image root, as a gzipped tar."""

import os
from collections.abc import Iterable
from threading import Event

from nixery.images.entries import RootCopy, RootDirectory, RootEntry, RootFile, RootLink
from nixery.images.graph import StorePath
from nixery.images.manifest import Layer
from nixery.packing.ahead import BUFFERS, Ahead
from nixery.packing.members import compress
from nixery.packing.names import to_bytes
from nixery.packing.spare import Spare, none
from nixery.packing.tar import Tar
from nixery.packing.tree import add_tree
from nixery.packing.written import Written


def pack_paths(
    paths: Iterable[StorePath], descriptor: int, cancelled: Event, comment: str = "", spare: Spare = none
) -> Layer:
    """Write the gzipped tar of store paths to `descriptor`; blocks, and uses the CPU all the while.

    The paths' parent directories come first, so that unpacking makes them with a mode of ours. `spare`: more cores to
    use, beside this thread's. Raises PackingFailed,
    StorageUnavailable when the descriptor takes no more, and ShuttingDown soon after `cancelled` is set.
    """
    written = Written(descriptor, cancelled, compress)
    ahead = Ahead(written, spare)
    tar = Tar(ahead.take, BUFFERS)
    tops = sorted({to_bytes(path.text) for path in paths})
    for parent in _parents(tops):
        tar.directory(parent, 0o755)
    for top in tops:
        add_tree(tar, top)
    tar.end()
    ahead.end()
    return _layer(written, comment)


def pack_root(entries: Iterable[tuple[str, RootEntry]], descriptor: int, cancelled: Event, comment: str = "") -> Layer:
    """Write the gzipped tar of an image root, in the order given; see pack_paths."""
    written = Written(descriptor, cancelled, compress)
    tar = Tar(written.take)
    for path, entry in entries:
        name = to_bytes(path)
        match entry:
            case RootDirectory():
                tar.directory(name, entry.mode)
            case RootLink():
                tar.link(name, to_bytes(entry.target))
            case RootFile():
                tar.data(name, entry.data, entry.mode)
            case RootCopy():
                tar.copy(name, to_bytes(entry.source), entry.mode)
    tar.end()
    return _layer(written, comment)


def _layer(written: Written, comment: str) -> Layer:
    return Layer(written.diff_id, written.blob.digest, written.blob.size, comment)


def _parents(paths: Iterable[bytes]) -> list[bytes]:
    """The directories above absolute paths, each once, without the slash before them."""
    parents = set()
    for path in paths:
        parent = os.path.dirname(path)
        while parent != b"/":
            parents.add(parent[1:])
            parent = os.path.dirname(parent)
    return sorted(parents)

"""A layer written to a descriptor: diff ID, digest and size come out of the one pass that packs it."""

import hashlib
import os
from collections.abc import Iterable
from threading import Event

from nixery.errors import ShuttingDown
from nixery.images.digest import DiffID
from nixery.images.entries import RootCopy, RootDirectory, RootEntry, RootFile, RootLink
from nixery.images.graph import StorePath
from nixery.images.manifest import Layer
from nixery.packing.members import compress
from nixery.packing.names import to_bytes
from nixery.packing.tar import Tar
from nixery.packing.tree import add_tree
from nixery.packing.written import Written


def pack_paths(paths: Iterable[StorePath], descriptor: int, cancelled: Event, comment: str = "") -> Layer:
    """Write the gzipped tar of store paths to `descriptor`; blocks, and uses the CPU all the while.

    The paths' parent directories come first, so that unpacking makes them with a mode of ours. Raises PackingFailed,
    StorageUnavailable when the descriptor takes no more, and ShuttingDown soon after `cancelled` is set.
    """
    blob = _Blob(descriptor, cancelled)
    tops = sorted({to_bytes(path.text) for path in paths})
    for parent in _parents(tops):
        blob.tar.directory(parent, 0o755)
    for top in tops:
        add_tree(blob.tar, top)
    return blob.end(comment)


def pack_root(entries: Iterable[tuple[str, RootEntry]], descriptor: int, cancelled: Event, comment: str = "") -> Layer:
    """Write the gzipped tar of an image root, in the order given; see pack_paths."""
    blob = _Blob(descriptor, cancelled)
    for path, entry in entries:
        name = to_bytes(path)
        match entry:
            case RootDirectory():
                blob.tar.directory(name, entry.mode)
            case RootLink():
                blob.tar.link(name, to_bytes(entry.target))
            case RootFile():
                blob.tar.data(name, entry.data, entry.mode)
            case RootCopy():
                blob.tar.copy(name, to_bytes(entry.source), entry.mode)
    return blob.end(comment)


class _Blob:
    """A gzipped tar on its way to a descriptor."""

    def __init__(self, descriptor: int, cancelled: Event) -> None:
        self.tar = Tar(self._take)
        self._written = Written(descriptor)
        self._cancelled = cancelled
        self._diff_id = hashlib.sha256()

    def end(self, comment: str) -> Layer:
        self.tar.end()
        blob = self._written.blob
        return Layer(DiffID(self._diff_id.hexdigest()), blob.digest, blob.size, comment)

    def _take(self, piece: memoryview) -> None:
        if self._cancelled.is_set():
            raise ShuttingDown()
        self._diff_id.update(piece)
        self._written.write(compress(piece))


def _parents(paths: Iterable[bytes]) -> list[bytes]:
    """The directories above absolute paths, each once, without the slash before them."""
    parents = set()
    for path in paths:
        parent = os.path.dirname(path)
        while parent != b"/":
            parents.add(parent[1:])
            parent = os.path.dirname(parent)
    return sorted(parents)

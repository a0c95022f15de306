"""The tar stream of a layer: entries as Nix's canonical form has them, whatever the disk says of owners and times."""

import os
import stat
from collections.abc import Callable

from nixery.errors import PackingFailed
from nixery.packing.header import BLOCK, DIRECTORY, FILE, LINK, header, padding
from nixery.packing.names import shown
from nixery.packing.pieces import Pieces

LAYOUT = "1"
"""The version of what this module and tree.py write for given files; part of a layer's cache key."""

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe in a file's place must not block


class Tar:
    """Entries appended one after the other; `take` gets the stream's pieces (see Pieces).

    Names are relative, without a slash at the end. What `take` raises goes through.
    """

    def __init__(self, take: Callable[[memoryview], object], buffers: int = 1) -> None:
        self._pieces = Pieces(take, buffers)

    def directory(self, name: bytes, mode: int = 0o555) -> None:
        """Append a directory."""
        self._pieces.put(header(name + b"/", DIRECTORY, mode))

    def link(self, name: bytes, target: bytes) -> None:
        """Append a symbolic link."""
        self._pieces.put(header(name, LINK, 0o777, target=target))

    def data(self, name: bytes, data: bytes, mode: int) -> None:
        """Append a file with this content."""
        self._pieces.put(header(name, FILE, mode, len(data)) + data + padding(len(data)))

    def copy(self, name: bytes, source: bytes, mode: int | None = None) -> None:
        """Append the file at the path `source`, by default with the mode of its kind in a store.

        Raises PackingFailed when it cannot be read, is no file, or changes its size meanwhile; the stream is then void.
        """
        try:
            descriptor = os.open(source, _FLAGS)
            try:
                self._copy(name, source, descriptor, mode)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise PackingFailed(f"cannot read {shown(source)}: {error.strerror}") from error

    def end(self) -> None:
        """Append the two zero blocks that end a tar, and hand on the last piece."""
        self._pieces.put(bytes(2 * BLOCK))
        self._pieces.end()

    def _copy(self, name: bytes, source: bytes, descriptor: int, mode: int | None) -> None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PackingFailed(f"{shown(source)} was a file and is none now: is something writing to the store?")
        if mode is None:
            mode = 0o555 if status.st_mode & stat.S_IXUSR else 0o444
        size = status.st_size
        self._pieces.put(header(name, FILE, mode, size))
        if self._pieces.fill(descriptor, size) != size:
            raise PackingFailed(
                f"{shown(source)} had {size} bytes and changed while it was packed: is something writing to the store?"
            )
        self._pieces.put(padding(size))

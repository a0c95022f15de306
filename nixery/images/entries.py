"""What a directory of the store holds, and what a directory of an image root holds."""

from collections.abc import Mapping
from typing import Protocol

from attrs import frozen


@frozen
class Directory:
    """A directory in the store."""


@frozen
class File:
    """A regular file in the store."""

    executable: bool


@frozen
class Link:
    """A symbolic link in the store. `directory`: following it leads to a directory in the store."""

    target: str
    directory: bool


Entry = Directory | File | Link


class Listing(Protocol):
    """The store as a join sees it."""

    def entries(self, path: str) -> Mapping[str, Entry]:
        """What the directory at this absolute path holds, by name; nothing where there is no directory."""

    def read(self, path: str) -> str | None:
        """The text of a small file at this absolute path, or None where there is none."""


@frozen
class RootDirectory:
    """A real directory in the root. `mode`: permission bits."""

    mode: int


@frozen
class RootLink:
    """A symbolic link in the root."""

    target: str


@frozen
class RootFile:
    """A file of our own in the root. `mode`: permission bits."""

    data: bytes
    mode: int


@frozen
class RootCopy:
    """A file copied into the root from an absolute path in the store. `mode`: permission bits."""

    source: str
    mode: int


RootEntry = RootDirectory | RootLink | RootFile | RootCopy

"""Store paths and the graph of a closure: what runs, what it refers to, and how large each path is."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from attrs import frozen

# Nix manual, "Store path": a digest of 32 characters of Nix's base-32 alphabet, a dash and a name of at most 211.
_STORE_PATH = re.compile(r"/(?:(?!\.\.?/)[^/\x00-\x1f]+/)*[0-9abcdfghijklmnpqrsvwxyz]{32}-[0-9a-zA-Z+._?=-]{1,211}")


@frozen(order=True)
class StorePath:
    """The absolute path of a store object, such as /nix/store/<hash>-bash-5.2."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for anything but a store object's own path."""
        if _STORE_PATH.fullmatch(text) is None:
            raise ValueError(f"{text!r} is not a store path")
        return cls(text)

    @property
    def base(self) -> str:
        """The last component: hash and name."""
        return self.text.rpartition("/")[2]

    @property
    def directory(self) -> str:
        """The store that it is in, such as /nix/store."""
        return self.text.rpartition("/")[0]

    @property
    def name(self) -> str:
        """What stands after the hash, such as bash-5.2: the name by which popularity counts."""
        return self.base[33:]

    def __str__(self) -> str:
        return self.text


@frozen
class PathInfo:
    """What Nix knows of a store path.

    `nar_hash`: sha256, hexadecimal; `nar_size`: bytes; `references`: sorted, without itself.
    """

    path: StorePath
    nar_hash: str
    nar_size: int
    references: tuple[StorePath, ...]


@frozen
class Closure:
    """Store paths with all of their references: closed, and without cycles (Nix has none but self-references)."""

    paths: Mapping[StorePath, PathInfo]

    @classmethod
    def of(cls, infos: Iterable[PathInfo]) -> Self:
        """A closure in a total order of its own; raises ValueError when a reference is missing."""
        closure = cls({info.path: info for info in sorted(infos, key=lambda info: info.path)})
        for info in closure:
            for reference in info.references:
                if reference not in closure.paths:
                    raise ValueError(f"{info.path} refers to {reference}, which is not in the closure")
        return closure

    def __iter__(self) -> Iterator[PathInfo]:
        return iter(self.paths.values())

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, path: StorePath) -> PathInfo:
        return self.paths[path]

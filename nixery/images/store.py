"""The store's files under their canonical paths: symbolic links followed without the operating system."""

import posixpath
from collections.abc import Callable, Mapping
from functools import cache

from attrs import define, field

from nixery.images.entries import Directory, Entry, Link, Listing

MOST_MERGES = 20_000
"""Directories that one root may merge, at some kilobytes and a tenth of a millisecond each: packages' links to
directories can be such that the root has more of them than there are atoms."""

MOST_LINKS = 40
"""After so many links a path is taken to go round in circles, as Linux does (path_resolution(7))."""


def is_plain(path: str) -> bool:
    """Whether a relative path names each of its directories, none empty, `.` or `..`."""
    return not {"", ".", ".."}.intersection(path.split("/")) and "\0" not in path


@define
class Store:
    """A listing of the store in the directory `top` (such as /nix/store) whose answers are remembered."""

    top: str
    listing: Listing
    entries: Callable[[str], Mapping[str, Entry]] = field(init=False)
    _merges: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.entries = cache(self.listing.entries)

    def count_merge(self) -> None:
        """Count a directory that is merged; raises ValueError when they become too many."""
        self._merges += 1
        if self._merges > MOST_MERGES:
            raise ValueError(f"the image root would merge more than {MOST_MERGES} directories")

    def read(self, path: str) -> str:
        """The text of a small file, or nothing."""
        return self.listing.read(path) or ""

    def entry(self, path: str) -> Entry | None:
        """What is at a canonical path below a store object."""
        directory, name = posixpath.split(path)
        return self.entries(directory).get(name)

    def follow(self, path: str) -> str | None:
        """The canonical path of what an absolute path leads to.

        None where there is nothing, where it leads out of the store, and where links go round in circles.
        """
        done: list[str] = []
        todo = path.split("/")[::-1]
        links = 0
        while todo:
            name = todo.pop()
            if name == "..":
                done = done[:-1]
            elif name not in ("", "."):
                done.append(name)
                entry = self._below_an_object(done)
                if isinstance(entry, Link):
                    links += 1
                    done = [] if entry.target.startswith("/") else done[:-1]
                    todo += entry.target.split("/")[::-1]
                if entry is None or links > MOST_LINKS:
                    return None
        canonical = "/" + "/".join(done)
        return canonical if canonical.startswith(f"{self.top}/") else None

    def _below_an_object(self, parts: list[str]) -> Entry | None:
        """What is at a canonical path; store objects themselves and the directories above them are taken on trust."""
        top = self.top.split("/")[1:]
        if len(parts) <= len(top) + 1:
            shorter = min(len(parts), len(top))
            return Directory() if parts[:shorter] == top[:shorter] else None
        return self.entry("/" + "/".join(parts)) if parts[: len(top)] == top else None

"""A folder that is the root of a file system to be: paths and links are followed as they would be inside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import IO

MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32")
"""Folders of the root that lie under /usr (Debian's merged /usr); links stand in their places."""

_MAX_LINKS = 40


class Hostile(Exception):
    """A package's file would not stay inside the folder, or is not what its archive says."""


class Tree:
    """Paths are absolute within the tree, such as /usr/bin/sed; no call reads or writes outside of `folder`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def add_folder(self, path: str) -> None:
        """Make a folder and those above it; one that is there, or a link to one, stays."""
        self._make(self.resolve(path, follow_last=True))

    def add_file(self, path: str, content: IO[bytes], executable: bool) -> None:
        """Write a file, in the place of what is there unless that is a folder."""
        place = self._cleared(path)
        with open(place, "xb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        os.chmod(place, 0o755 if executable else 0o644)

    def add_link(self, path: str, target: str) -> None:
        """Make a symbolic link, unless a file is there or it would lead to itself, as /bin/x -> /usr/bin/x does."""
        place = self._place(path)
        leads_to = canonical(os.path.join(os.path.dirname(path), target))
        if leads_to != path and (not os.path.lexists(place) or os.path.islink(place)):
            os.symlink(target, self._cleared(path))

    def add_hard_link(self, path: str, other: str) -> None:
        """Make one more name of a file that is there."""
        source = self._place(other)
        if os.path.islink(source) or not os.path.isfile(source):
            raise Hostile(f"{path} is a hard link to {other}, which is no file of the package")
        if self._place(path) != source:
            os.link(source, self._cleared(path))

    def resolve(self, path: str, follow_last: bool = False) -> str:
        """The path within the tree after its links are followed, whether anything is there or not."""
        waiting = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        done: list[str] = []
        links = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                done = done[:-1]
                continue
            place = os.path.join(self.folder, *done, part)
            if (waiting or follow_last) and os.path.islink(place):
                links += 1
                if links > _MAX_LINKS:
                    raise Hostile(f"{path} leads through a circle of links")
                target = os.readlink(place)
                done = [] if target.startswith("/") else done
                waiting.extend(part for part in reversed(target.split("/")) if part not in ("", "."))
            else:
                done.append(part)
        return "/" + "/".join(done)

    def exists(self, path: str) -> bool:
        """Whether the tree itself has something there, be it a link that leads nowhere."""
        return os.path.lexists(self._place(path))

    def files(self) -> Iterator[str]:
        """The paths of all regular files, sorted within each folder."""
        return (path for path in self._walk() if not os.path.islink(self.folder + path))

    def links(self) -> Iterator[str]:
        """The paths of all symbolic links, sorted within each folder."""
        return (path for path in self._walk() if os.path.islink(self.folder + path))

    def _walk(self) -> Iterator[str]:
        for above, folders, files in os.walk(self.folder):
            folders.sort()
            linked = [name for name in folders if os.path.islink(os.path.join(above, name))]
            for name in sorted(files + linked):
                yield os.path.join(above, name)[len(self.folder) :]

    def _place(self, path: str) -> str:
        return self.folder + self.resolve(path)

    def _cleared(self, path: str) -> str:
        """Where to write `path` on the host, with nothing there and all folders above it."""
        resolved = self.resolve(path)
        self._make(os.path.dirname(resolved))
        place = self.folder + resolved
        if os.path.isdir(place) and not os.path.islink(place):
            raise Hostile(f"{path} is a folder and something else at once")
        if os.path.lexists(place):
            os.unlink(place)
        return place

    def _make(self, resolved: str) -> None:
        try:
            os.makedirs(self.folder + resolved, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise Hostile(f"{resolved} is a folder and something else at once") from error


def canonical(path: str) -> str:
    """An absolute path without . and .., with /bin and the like under /usr. Links are not looked at."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    if parts and parts[0] in MERGED:
        parts.insert(0, "usr")
    return "/" + "/".join(parts)

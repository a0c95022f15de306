"""The lists of apt that an index was made of, so that it can be told later whether apt has newer ones."""

import json
import os
from typing import TypeAlias

from nixery.debian.description import DESCRIPTION, Json

USUAL = "/var/lib/apt/lists"
"""Where apt keeps its lists, unless it is told otherwise; indexes of earlier versions do not say."""

Stamps: TypeAlias = dict[str, list[int]]
"""A list's file name -> its size in bytes, and its time of change (nanoseconds since 1970)."""


def lists_in(folder: str) -> Json:
    """What an index says of the lists that it is made of: `folder`, and `files` (see Stamps)."""
    return {"folder": folder, "files": {name: [*stamp] for name, stamp in _stamps(folder).items()}}


def apt_has_newer(index: str, usual: str = USUAL) -> bool:
    """Whether this host's apt has other lists than those that the index in a folder was made of.

    Never so where there are no lists, and where none of the index's are here: it comes from another host then. What
    is no index has nothing newer. Reads one file, and the lists' names, sizes and times.
    """
    path = os.path.join(index, DESCRIPTION)
    try:
        with open(path, "rb") as file:
            made_of, written = json.load(file).get("lists"), os.fstat(file.fileno()).st_mtime_ns
        if made_of is None:
            return _changed_since(written, usual)
        files, now = made_of["files"], _stamps(made_of["folder"])
        return now != files and any(name in files or not files for name in now)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return False


def _stamps(folder: str) -> Stamps:
    """The Packages lists in a folder of apt's, which leaves them alone when it finds nothing newer."""
    return {entry.name: [(told := entry.stat()).st_size, told.st_mtime_ns] for entry in _lists(folder)}


def _changed_since(written: int, folder: str) -> bool:
    """By when the lists came to be here, which apt leaves to the file system."""
    return any(entry.stat().st_ctime_ns > written for entry in _lists(folder))


def _lists(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if "_Packages" in entry.name and entry.is_file()]
    except FileNotFoundError:
        return []

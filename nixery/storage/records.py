"""Records: names that cannot lead outside of their folder, what is in them, and how they are written over."""

import heapq
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from twisted.logger import Logger

from nixery.errors import StorageUnavailable
from nixery.storage.interfaces import IStorage

T = TypeVar("T")

NOT_OURS = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What reading raises of a record that no version of ours wrote."""

_RIVALS = 100
"""Times that others may write a record while we do: more is something there that is no record."""

_log = Logger()

_WORD = "[a-z0-9][a-z0-9.:-]{0,200}"
_RECORD = re.compile(f"v1(?:/{_WORD}){{1,4}}", re.ASCII)
_LAST = re.compile(_WORD, re.ASCII)
_BLOB = re.compile("[0-9a-f]{64}")


def checked(name: str) -> str:
    """The name itself; raises ValueError for one that no caller of ours makes."""
    if _RECORD.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a record's name")
    return name


def is_word(word: str) -> bool:
    """Whether a record's name may end in it."""
    return _LAST.fullmatch(word) is not None


def is_blob(word: str) -> bool:
    """Whether that is what a blob is called among `layers`."""
    return _BLOB.fullmatch(word) is not None


def page(found: Iterable[str], after: str, most: int, ours: Callable[[str], bool] = is_word) -> Sequence[str]:
    """The first words of what is found in a folder, those after `after`; what is not ours is left out."""
    return heapq.nsmallest(most, (word for word in found if word > after and ours(word)))


def parsed(name: str, data: bytes | None, parse: Callable[[bytes], T]) -> T | None:
    """What a record says; None where there is none, and, with a line in the log, for what no version of ours wrote."""
    try:
        return None if data is None else parse(data)
    except NOT_OURS as error:
        _log.warn("the record {name} is passed over: {error}", name=name, error=error)
        return None


async def write_record(
    storage: IStorage, name: str, data: bytes, stands: Callable[[bytes], bool] = lambda old: False
) -> None:
    """Make a record say this, whatever it said before, unless that `stands`; raises StorageUnavailable."""
    for _ in range(_RIVALS):
        if await storage.create_record(name, data):
            return
        old = await storage.read_record(name)
        if old is not None and (old == data or stands(old) or await storage.swap_record(name, old, data)):
            return
    raise StorageUnavailable(f"the record {name} cannot be written, nor read: see what is there under that name")

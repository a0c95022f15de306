"""Names of records: checked once, so that none can name a file or an object outside its folder."""

import heapq
import re
from collections.abc import Iterable, Sequence

_WORD = "[a-z0-9][a-z0-9.:-]{0,200}"
_RECORD = re.compile(f"v1(?:/{_WORD}){{1,4}}", re.ASCII)
_LAST = re.compile(_WORD, re.ASCII)


def checked(name: str) -> str:
    """The name itself; raises ValueError for one that no caller of ours makes."""
    if _RECORD.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a record's name")
    return name


def page(found: Iterable[str], after: str, most: int) -> Sequence[str]:
    """The first words of what is found in a folder, those after `after`; what names no record is left out."""
    return heapq.nsmallest(most, (word for word in found if word > after and _LAST.fullmatch(word)))

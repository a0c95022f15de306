"""What a client wants only under a condition, or only a part of (RFC 9110, 13 and 14)."""

import re
from collections.abc import Sequence

from attrs import frozen

from nixery.errors import RangeInvalid

_ENTITY_TAG = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')
_RANGE = re.compile(r"bytes=\s*(\d{0,100})-(\d{0,100})\s*", re.ASCII | re.IGNORECASE)


@frozen
class Span:
    """Bytes of a content: from `first` on, `length` of them."""

    first: int
    length: int


def has_it(if_none_match: Sequence[str], etag: str) -> bool:
    """Whether a client that sent these If-None-Match headers has the content already. `etag`: with its quotes."""
    text = ", ".join(if_none_match).strip()
    return text == "*" or etag in _ENTITY_TAG.findall(text)


def part(range: str | None, if_range: str | None, etag: str, size: int) -> Span | None:
    """The part that a client asks for of a content of `size` bytes; None for all of it.

    Several ranges at once, and what is no range of bytes, are passed over, as RFC 9110 (14.2) allows. Raises
    RangeInvalid where nothing of the content is in the range.
    """
    found = _RANGE.fullmatch(range or "")
    if found is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = found[1], found[2]
    if not first and not last:
        return None
    if first and last and int(last) < int(first):
        return None  # 14.1.1: an invalid one, which is no range
    begin = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if begin > end:
        raise RangeInvalid(f"the content has {size} bytes, and none of them is in {range!r}", size)
    return Span(begin, end - begin + 1)

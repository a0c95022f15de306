"""What a binary cache says of a store path: its narinfo, of which only the references matter here."""

import re

from nixery.popcount.base import BASE, digest_of

MOST = 1 << 20
"""Bytes of a narinfo. One refers to some dozens of paths, rarely to some hundreds."""

_BASE = re.compile(BASE)


def references(narinfo: bytes, digest: str) -> tuple[str, ...]:
    """The last components of the store paths that a path refers to, itself included where it does.

    `digest`: of the path that was asked for. Raises ValueError for what is no narinfo of it.
    """
    fields: dict[str, str] = {}
    for line in narinfo.decode("ascii").splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name, value.strip())
    own = fields.get("StorePath", "").rpartition("/")[2]
    if "References" not in fields or digest_of(own) != digest:
        raise ValueError(f"it is no narinfo of {digest}")
    found = tuple(dict.fromkeys(fields["References"].split()))
    for reference in found:
        if _BASE.fullmatch(reference) is None:
            raise ValueError(f"it refers to {reference[:100]!r}, which is no store path")
    return found

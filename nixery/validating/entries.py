"""What must hold of the entries of a layer.

Source: OCI image-spec 1.1, "Image Layer Filesystem Changeset"; docs/architecture.md, "Determinism".
"""

import tarfile
from collections.abc import Iterator
from hashlib import blake2b

from nixery.validating.tar import Entry

PLAIN = "its names are relative, without . and .."
ONCE = "each of its entries is there once"
SORTED = "its entries are sorted in each directory"
PARENTS = "its directories come before what is in them"
OWNER = "its owners are 0:0, without names"
TIME = "its times are 1"
KIND = "it has files, directories and links alone"
HARD_LINKS = "its hard links lead to files before them"
WHITEOUTS = "it deletes nothing of the layers below"
RECORDS = "it has no attributes beyond tar's own"
FEW = "it has at most a million entries"
INVARIANTS = (PLAIN, ONCE, SORTED, PARENTS, OWNER, TIME, KIND, HARD_LINKS, WHITEOUTS, RECORDS, FEW)

_MOST = 1_000_000
_FILES = (tarfile.REGTYPE, tarfile.LNKTYPE)
_KINDS = (*_FILES, tarfile.DIRTYPE, tarfile.SYMTYPE)


class Entries:
    """Looks at the entries of one layer in their order. Keeps some 150 bytes for each."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}
        self._kinds: dict[bytes, bytes] = {}
        self._latest: dict[bytes, bytes] = {}

    def see(self, entry: Entry) -> None:
        """Look at the next entry."""
        for invariant in self._broken(entry):
            self._first.setdefault(invariant, ascii(entry.name[:300]))
            self._count[invariant] = self._count.get(invariant, 0) + 1

    def fault(self, invariant: str) -> str | None:
        """What stands against an invariant: the first entry, and how many there are."""
        count = self._count.get(invariant, 0)
        return f"{self._first[invariant]}, and {count - 1} more" if count else None

    def _broken(self, entry: Entry) -> Iterator[str]:
        if len(self._kinds) >= _MOST:
            yield FEW
            return
        yield from _alone(entry)
        if _plain(entry.name):
            yield from self._among_others(entry)

    def _among_others(self, entry: Entry) -> Iterator[str]:
        parent, _, last = entry.name.encode("utf-8", "surrogateescape").rpartition(b"/")
        folder, name = _hashed(parent), _hashed(parent + b"/" + last if parent else last)
        if parent and self._kinds.get(folder) != tarfile.DIRTYPE:
            yield PARENTS
        if name in self._kinds:
            yield ONCE
        elif last < self._latest.get(folder, b""):
            yield SORTED
        if entry.kind == tarfile.LNKTYPE and self._kinds.get(_of_text(entry.target)) not in _FILES:
            yield HARD_LINKS
        self._kinds[name] = entry.kind
        self._latest[folder] = last


def _alone(entry: Entry) -> Iterator[str]:
    """What an entry breaks by itself."""
    holds = {
        PLAIN: _plain(entry.name),
        OWNER: entry.owner == (0, 0, "", ""),
        TIME: entry.mtime == 1,
        KIND: entry.kind in _KINDS,
        WHITEOUTS: not entry.name.rpartition("/")[2].startswith(".wh."),
        RECORDS: not entry.records,
    }
    return (invariant for invariant, held in holds.items() if not held)


def _plain(name: str) -> bool:
    return not {"", ".", ".."} & set(name.split("/"))


def _of_text(name: str) -> bytes:
    return _hashed(name.encode("utf-8", "surrogateescape"))


def _hashed(name: bytes) -> bytes:
    """Stands for a name in less memory."""
    return blake2b(name, digest_size=16).digest()

"""The entries of a tar that comes in pieces: headers are read, contents passed over.

Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
"""

import re
import tarfile
from collections.abc import Callable, Mapping

from attrs import frozen

_BLOCK = 512
_MOST_RECORDS = 1 << 20  # bytes before one entry
_RECORD = re.compile(rb"(\d{1,10}) ([^=]{1,256})=")
_WITHOUT_CONTENT = (
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
)
_READ = frozenset({"path", "linkpath", "size", "uid", "gid", "mtime", "hdrcharset"})


class TarBroken(ValueError):
    """It is no tar, or none that all programs read alike."""


@frozen
class Entry:
    """One entry, with what its extended header says.

    `name`: bytes that are not UTF-8 are lone surrogates; without a slash at its end for a directory. `kind`: the
    letter of its type. `records`: names of what else its extended header says.
    """

    name: str
    kind: bytes
    owner: tuple[int, int, str, str]
    mtime: float
    target: str
    records: frozenset[str] = frozenset()


class TarReader:
    """Reads pieces; `see` gets each entry."""

    def __init__(self, see: Callable[[Entry], None]) -> None:
        self._see = see
        self._block = bytearray()
        self._wanted = _BLOCK
        self._passed = 0
        self._records: dict[str, str] | None = None
        self._of_records = 0
        self._zeros = 0

    def take(self, piece: bytes) -> None:
        """Read on; raises TarBroken."""
        rest = memoryview(piece)
        while rest:
            passed = min(self._passed, len(rest))
            self._passed -= passed
            rest = rest[passed:]
            some = rest[: self._wanted - len(self._block)]
            self._block += some
            rest = rest[len(some) :]
            if len(self._block) == self._wanted:
                block, self._block = bytes(self._block), bytearray()
                self._full(block)

    def end(self) -> None:
        """All is read; raises TarBroken when there is no end, or no whole one."""
        if self._zeros < 2 or self._block:
            raise TarBroken("it does not end in two blocks of zeros")

    def _full(self, block: bytes) -> None:
        if self._of_records:
            self._records = _records(block[: self._of_records])
            self._of_records, self._wanted = 0, _BLOCK
        elif not any(block):
            self._zeros += 1
        elif self._zeros:
            raise TarBroken("something comes after its end")
        else:
            self._header(block)

    def _header(self, block: bytes) -> None:
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise TarBroken(f"a header is wrong: {error}") from error
        if header.type == tarfile.XHDTYPE:
            if self._records is not None or not 0 < header.size <= _MOST_RECORDS:
                raise TarBroken("an extended header is empty, too long, or before another one")
            self._of_records, self._wanted = header.size, _padded(header.size)
            return
        records, self._records = self._records or {}, None
        self._see(_entry(header, records))
        if header.type not in _WITHOUT_CONTENT:
            self._passed = _padded(_number(records, "size", header.size))


def _entry(header: tarfile.TarInfo, records: Mapping[str, str]) -> Entry:
    name = records.get("path", header.name)
    return Entry(
        name[:-1] if header.isdir() and name.endswith("/") else name,
        tarfile.REGTYPE if header.type == tarfile.AREGTYPE else header.type,
        (_number(records, "uid", header.uid), _number(records, "gid", header.gid), header.uname, header.gname),
        _time(records, float(header.mtime)),
        records.get("linkpath", header.linkname),
        frozenset(records) - _READ,
    )


def _records(data: bytes) -> dict[str, str]:
    """`<length> <key>=<value>` and a newline each, where the length counts all of these."""
    found = {}
    while data:
        match = _RECORD.match(data)
        end = int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise TarBroken("an extended header has a record that is none")
        found[match[2].decode(errors="replace")] = data[match.end() : end - 1].decode("utf-8", "surrogateescape")
        data = data[end:]
    return found


def _number(records: Mapping[str, str], key: str, otherwise: int) -> int:
    text = records.get(key)
    if text is None and otherwise >= 0:
        return otherwise
    if text is None or re.fullmatch(r"\d{1,19}", text, re.ASCII) is None:
        raise TarBroken(f"the {key} of an entry is no number")
    return int(text)


def _time(records: Mapping[str, str], otherwise: float) -> float:
    try:
        return float(records.get("mtime", otherwise))
    except ValueError as error:
        raise TarBroken("the time of an entry is no number") from error


def _padded(size: int) -> int:
    return size + -size % _BLOCK

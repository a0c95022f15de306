"""What becomes of a child's output: bounded whatever the child writes."""

from collections.abc import Callable, Collection
from typing import Protocol

from nixery.errors import public

_TOLD = 400


class Sink(Protocol):
    """Takes a child's output as it comes."""

    def write(self, data: bytes) -> None:
        """Take some bytes; must not block."""


class Capped:
    """Keeps the first and the last `limit` bytes of what is written."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def write(self, data: bytes) -> None:
        """See Sink."""
        self._total += len(data)
        room = self._limit - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._limit:
            del self._tail[: len(self._tail) - self._limit]

    def __bytes__(self) -> bytes:
        """The head, a word on what was left out if anything was, and the tail."""
        tail = bytes(self._tail[max(len(self._tail) - self._limit, 0) :])
        left_out = self._total - len(self._head) - len(tail)
        middle = b"\n... (%d bytes left out) ...\n" % left_out if left_out else b""
        return bytes(self._head) + middle + tail

    def text(self) -> str:
        """The same as text, with what is not UTF-8 replaced."""
        return bytes(self).decode(errors="replace")


class Lines:
    """Calls `line` with each line, without its newline; of a longer line only the first `limit` bytes."""

    def __init__(self, line: Callable[[bytes], None], limit: int = 1 << 20) -> None:
        self._line = line
        self._limit = limit
        self._begun = bytearray()

    def write(self, data: bytes) -> None:
        """See Sink."""
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._take(piece)
            self._give()
        self._take(rest)

    def end(self) -> None:
        """Give out what is left when the output ends without a newline."""
        if self._begun:
            self._give()

    def _give(self) -> None:
        line, self._begun = bytes(self._begun), bytearray()
        self._line(line)

    def _take(self, piece: bytes) -> None:
        self._begun += piece[: self._limit - len(self._begun)]


def last_words(stderr: str, lines: int = 2, without: Collection[str] = ()) -> str:
    """The last so many lines that say something, as one that may be shown: no logins, at most 400 characters.

    `without`: lines that say nothing.
    """
    words = ("".join(filter(str.isprintable, line)).strip() for line in stderr.splitlines())
    telling = [line for line in words if line and line not in without]
    return public("; ".join(telling[-lines:]))[-_TOLD:] or "it said nothing"

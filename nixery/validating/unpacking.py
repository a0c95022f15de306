"""Compressed layers unpacked as they come, a bounded piece at a time.

Sources: RFC 1952 (gzip: a series of members); RFC 8878 (zstd: a series of frames).
"""

import sys
import zlib
from collections.abc import Iterator
from typing import Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE = 1 << 18  # bytes that are unpacked at once
_GZIP = 16 + zlib.MAX_WBITS
_WINDOW = {zstd.DecompressionParameter.window_log_max.value: 23}  # what all decoders should take (RFC 8878, 3.1.1.1.2)


class Broken(ValueError):
    """The layer is not compressed as its media type says."""


class Unpacker(Protocol):
    """Takes the bytes of one layer."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes unpack to, in pieces; raises Broken."""

    def end(self) -> None:
        """All is read; raises Broken."""


class Plain:
    """A layer that is not compressed."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """See Unpacker."""
        yield data

    def end(self) -> None:
        """See Unpacker."""


class Gzip:
    """A layer compressed by gzip."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """See Unpacker."""
        try:
            while data:
                if self._member.eof:
                    self._member = zlib.decompressobj(_GZIP)
                # At a member's end zlib leaves the rest in unconsumed_tail too, where it was cut short before.
                while not self._member.eof and (plain := self._member.decompress(data, _PIECE)):
                    yield plain
                    data = self._member.unconsumed_tail
                data = self._member.unused_data
        except zlib.error as error:
            raise Broken(f"it is no gzip: {error}") from error

    def end(self) -> None:
        """See Unpacker."""
        if not self._member.eof:
            raise Broken("its gzip ends in the middle")


class Zstd:
    """A layer compressed by zstd."""

    def __init__(self) -> None:
        self._frame = _frame()

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """See Unpacker."""
        try:
            while data:
                if self._frame.eof:
                    self._frame = _frame()
                yield self._frame.decompress(data, _PIECE)
                while not (self._frame.eof or self._frame.needs_input):
                    yield self._frame.decompress(b"", _PIECE)
                data = self._frame.unused_data if self._frame.eof else b""
        except zstd.ZstdError as error:
            raise Broken(f"it is no zstd that every client can read: {error}") from error

    def end(self) -> None:
        """See Unpacker."""
        if not self._frame.eof:
            raise Broken("its zstd ends in the middle")


def unpacker(media_type: str) -> Unpacker:
    """For a layer of that media type."""
    if media_type.endswith("gzip"):
        return Gzip()
    return Zstd() if media_type.endswith("zstd") else Plain()


def _frame() -> zstd.ZstdDecompressor:
    return zstd.ZstdDecompressor(options=_WINDOW)

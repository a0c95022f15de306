"""A layer that comes in pieces: its digest, its diff ID and its entries, out of one pass and in bounded memory."""

import hashlib
import zlib

from nixery.images.digest import DiffID
from nixery.validating.entries import Entries
from nixery.validating.tar import TarBroken, TarReader

_PIECE = 1 << 18  # bytes that are unpacked at once
_GZIP = 16 + zlib.MAX_WBITS


class LayerReader:
    """Reads a layer. `gzip`: whether it is compressed so."""

    def __init__(self, gzip: bool) -> None:
        self.entries = Entries()
        self.fault: str | None = None
        self._gzip = gzip
        self._member = zlib.decompressobj(_GZIP)
        self._tar = TarReader(self.entries.see)
        self._diff_id = hashlib.sha256()

    @property
    def diff_id(self) -> DiffID:
        """Of what was read so far."""
        return DiffID(self._diff_id.hexdigest())

    def take(self, piece: bytes) -> None:
        """Read on; once there is a fault, nothing more."""
        if self.fault is not None:
            return
        try:
            while piece:
                piece = self._unpacked(piece) if self._gzip else self._plain(piece)
        except zlib.error as error:
            self.fault = f"it is no gzip: {error}"
        except TarBroken as error:
            self.fault = f"it is no tar: {error}"

    def end(self) -> None:
        """All is read."""
        try:
            if self.fault is None:
                self._tar.end()
                if self._gzip and not self._member.eof:
                    self.fault = "its gzip ends in the middle"
        except TarBroken as error:
            self.fault = f"it is no tar: {error}"

    def _unpacked(self, piece: bytes) -> bytes:
        """Read some of gzip's members; gives what is left for later."""
        if self._member.eof:
            self._member = zlib.decompressobj(_GZIP)
        # At a member's end zlib leaves the rest in unconsumed_tail too, where it was cut short before.
        while not self._member.eof and (plain := self._member.decompress(piece, _PIECE)):
            self._plain(plain)
            piece = self._member.unconsumed_tail
        return self._member.unused_data

    def _plain(self, piece: bytes) -> bytes:
        self._diff_id.update(piece)
        self._tar.take(piece)
        return b""

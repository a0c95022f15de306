"""A layer that comes in pieces: its digest, its diff ID and its entries, out of one pass and in bounded memory."""

import hashlib

from nixery.images.digest import DiffID
from nixery.validating.entries import Entries
from nixery.validating.tar import TarBroken, TarReader
from nixery.validating.unpacking import Broken, Unpacker


class LayerReader:
    """Reads a layer."""

    def __init__(self, unpacker: Unpacker) -> None:
        self.entries = Entries()
        self.fault: str | None = None
        self._unpacker = unpacker
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
            for plain in self._unpacker.unpack(piece):
                self._diff_id.update(plain)
                self._tar.take(plain)
        except Broken as error:
            self.fault = str(error)
        except TarBroken as error:
            self.fault = f"it is no tar: {error}"

    def end(self) -> None:
        """All is read."""
        try:
            if self.fault is None:
                self._tar.end()
                self._unpacker.end()
        except Broken as error:
            self.fault = str(error)
        except TarBroken as error:
            self.fault = f"it is no tar: {error}"

"""A gzip layer made into a zstd one: gzip members in, the same tar as one zstd frame out, in bounded memory."""

import zlib
from threading import Event

from nixery.images.digest import DiffID
from nixery.images.manifest import Blob
from nixery.packing.pieces import PIECE, Pieces
from nixery.packing.written import Written
from nixery.packing.zstd import Frame

_GZIP = 16 + zlib.MAX_WBITS


class NoGzip(ValueError):
    """What came is not a whole gzip file."""


class Transcoding:
    """Writes the zstd layer to `descriptor`. All of it blocks and uses the CPU.

    How the gzip file is cut into pieces makes no difference to what is written.
    """

    def __init__(self, descriptor: int, cancelled: Event) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._frame = Frame()
        self._written = Written(descriptor, cancelled, self._frame.compress)
        self._pieces = Pieces(self._written.take)  # no method of ours: a cycle would keep the encoder's memory

    def feed(self, data: bytes) -> None:
        """Take the gzip file's next bytes.

        Raises NoGzip, StorageUnavailable when the descriptor takes no more, and ShuttingDown soon after `cancelled`
        is set.
        """
        try:
            while data:
                if self._member.eof:
                    self._member = zlib.decompressobj(_GZIP)
                self._pieces.put(self._member.decompress(data, PIECE))
                data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        except zlib.error as error:
            raise NoGzip(str(error)) from error

    def end(self) -> tuple[DiffID, Blob]:
        """The tar's diff ID, and the layer that was written; raises as feed does."""
        if not self._member.eof:
            raise NoGzip("it ends in the middle")
        self._pieces.end()
        self._written.write(self._frame.end())
        return self._written.diff_id, self._written.blob

"""A tar on its way to a descriptor, compressed: diff ID, digest and size come out of the one pass that writes it."""

import hashlib
import os
from collections.abc import Callable
from threading import Event

from nixery.errors import ShuttingDown, StorageUnavailable
from nixery.images.digest import DiffID, Digest
from nixery.images.manifest import Blob


class Written:
    """Writes what `compress` makes of each piece of a tar; blocks. It knows nothing of who cuts the pieces."""

    def __init__(self, descriptor: int, cancelled: Event, compress: Callable[[memoryview], bytes | bytearray]) -> None:
        self._descriptor = descriptor
        self._cancelled = cancelled
        self.compress = compress
        self._diff_id = hashlib.sha256()
        self._digest = hashlib.sha256()
        self._size = 0

    @property
    def diff_id(self) -> DiffID:
        """Of the tar so far."""
        return DiffID(self._diff_id.hexdigest())

    @property
    def blob(self) -> Blob:
        """What was written so far."""
        return Blob(Digest(self._digest.hexdigest()), self._size)

    def take(self, piece: memoryview) -> None:
        """Compress and write a piece; raises as `see` and `write` do."""
        self.see(piece)
        self.write(self.compress(piece))

    def see(self, piece: memoryview) -> None:
        """Take a piece's part in the diff ID, and no more; raises ShuttingDown once `cancelled`."""
        if self._cancelled.is_set():
            raise ShuttingDown()
        self._diff_id.update(piece)

    def write(self, data: bytes | bytearray) -> None:
        """Write all of `data`, as it is; raises StorageUnavailable when the descriptor takes no more."""
        self._digest.update(data)
        self._size += len(data)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise StorageUnavailable(
                f"a layer could not be written: {error.strerror}; is the disk with the storage or its staging files "
                "full?"
            ) from error

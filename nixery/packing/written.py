"""Bytes on their way to a descriptor, with their digest and their number."""

import hashlib
import os

from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.images.manifest import Blob


class Written:
    """Writes to a descriptor; blocks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._digest = hashlib.sha256()
        self._size = 0

    @property
    def blob(self) -> Blob:
        """What was written so far."""
        return Blob(Digest(self._digest.hexdigest()), self._size)

    def write(self, data: bytes | bytearray) -> None:
        """Write all of `data`; raises StorageUnavailable when the descriptor takes no more."""
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

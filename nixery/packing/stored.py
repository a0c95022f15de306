"""The bytes of a stored blob, piece by piece, wherever the storage has them."""

import os
from collections.abc import AsyncIterator

from nixery.concurrency.pool import Pool
from nixery.errors import StorageUnavailable
from nixery.packing.pieces import PIECE
from nixery.storage.interfaces import InMemory, LocalFile, Location


async def pieces(location: Location, pool: Pool) -> AsyncIterator[bytes]:
    """A blob's bytes, at most PIECE at a time, as far as there are any. A file is read in `pool`.

    Raises StorageUnavailable.
    """
    offset = 0
    while offset < location.size and (piece := await _piece_at(location, offset, pool)):
        yield piece
        offset += len(piece)


async def _piece_at(location: Location, offset: int, pool: Pool) -> bytes:
    match location:
        case InMemory():
            return location.data[offset : offset + PIECE]
        case LocalFile():
            return await pool.run(_read, location.path, offset)
    if location.read is None:
        raise StorageUnavailable("a layer is where only clients can fetch it; set NIXERY_COMPRESSION=gzip")
    return await location.read(offset, min(PIECE, location.size - offset))


def _read(path: str, offset: int) -> bytes:
    """Opened anew for each piece: a thread that nobody waits for any more then has no descriptor of ours to lose."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, PIECE, offset)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageUnavailable(f"a stored layer cannot be read: {error.strerror}; pull again") from error

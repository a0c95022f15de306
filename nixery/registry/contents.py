"""What the bytes of a blob are read from, piece by piece."""

import errno
import os
from typing import Protocol

from attrs import define, frozen

from nixery.concurrency.pool import Pool
from nixery.concurrency.senders import Senders
from nixery.errors import StorageUnavailable
from nixery.registry.conditions import Span
from nixery.storage.interfaces import InMemory, LocalFile, Remote

PIECE = 256 * 1024
"""Bytes read at a time."""

_REMOTE_PIECE = 1024 * 1024
"""The same where each piece is a request to somebody else."""


@frozen
class Pools:
    """Threads for files: `files` wait for the disk, to open, to read, and to send; `senders` send what is in memory."""

    files: Pool
    senders: Senders


class Content(Protocol):
    """Bytes that can be read in pieces until closed."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def piece(self) -> int:
        """How many bytes to read at a time."""

    async def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on; none where there are no more. Raises OSError."""

    def close(self) -> None:
        """Give back what it holds. No read may be under way."""


@frozen
class OpenFile:
    """The content of an open file."""

    descriptor: int
    size: int
    pools: Pools
    piece: int = PIECE

    async def read(self, offset: int, length: int) -> bytes:
        """See Content."""
        return await self.pools.files.run(os.pread, self.descriptor, length, offset)

    def close(self) -> None:
        """See Content. Closing a file that was only read does not block."""
        os.close(self.descriptor)


@frozen
class Held:
    """Content that is in memory."""

    data: bytes
    piece: int = PIECE

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    async def read(self, offset: int, length: int) -> bytes:
        """See Content."""
        return self.data[offset : offset + length]

    def close(self) -> None:
        """Hold on: the bytes are the storage's."""


@define
class Elsewhere:
    """Content that is read from where the storage has it. `ahead`: a piece that was read already, and its offset."""

    remote: Remote
    piece: int = _REMOTE_PIECE
    ahead: tuple[int, bytes] | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.remote.size

    async def read(self, offset: int, length: int) -> bytes:
        """See Content."""
        ahead, self.ahead = self.ahead, None
        if ahead is not None and ahead[0] == offset:
            return ahead[1]
        try:
            return await self.remote.read(offset, length)
        except StorageUnavailable as error:
            raise OSError(errno.EIO, error.message) from error

    def close(self) -> None:
        """Do nothing: nothing is open between reads."""


async def opened(location: LocalFile | InMemory | Remote, pools: Pools, span: Span | None) -> Content:
    """The content at that place, of which `span` will be read, None for nothing of it.

    Raises OSError, also where a file has another size than it should have. Whether what is elsewhere can be had is
    seen by reading its first piece, as long as the client can still be told.
    """
    match location:
        case InMemory(data):
            return Held(data)
        case Remote():
            content = Elsewhere(location)
            if span is not None and span.length:
                content.ahead = span.first, await content.read(span.first, min(content.piece, span.length))
            return content
        case LocalFile():
            return OpenFile(await pools.files.run(_open, location), location.size, pools)


def _open(file: LocalFile) -> int:
    descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
    found = os.fstat(descriptor).st_size
    if found != file.size:
        os.close(descriptor)
        raise OSError(errno.EIO, f"{found} bytes where {file.size} were stored", file.path)
    return descriptor

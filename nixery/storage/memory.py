"""Storage in the daemon's own memory, for tests and trials: gone when the daemon ends."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from twisted.application.service import Service
from zope.interface import implementer

from nixery.concurrency.pool import Pool
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.interfaces import InMemory, IStaging, IStorage, Location
from nixery.storage.records import checked, page


def make(settings: Mapping[str, str], threads: Pool) -> IStorage:
    """See IStorageBackend; needs no settings."""
    return MemoryStorage()


@implementer(IStorage)
class MemoryStorage(Service):
    """See IStorage."""

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.records: dict[str, bytes] = {}

    async def stage(self) -> IStaging:
        """See IStorage."""
        return _Staging(self.blobs)

    async def find(self, digest: Digest) -> Location | None:
        """See IStorage."""
        data = self.blobs.get(digest)
        return None if data is None else InMemory(data)

    async def has_all(self, blobs: Mapping[Digest, int]) -> bool:
        """See IStorage."""
        return all(len(self.blobs.get(digest, b"")) == size and digest in self.blobs for digest, size in blobs.items())

    async def read(self, digest: Digest, limit: int) -> bytes | None:
        """See IStorage."""
        data = self.blobs.get(digest)
        if data is not None and len(data) > limit:
            raise StorageUnavailable(f"the blob {digest} has {len(data)} bytes; at most {limit} were expected")
        return data

    async def read_record(self, name: str) -> bytes | None:
        """See IStorage."""
        return self.records.get(checked(name))

    async def create_record(self, name: str, data: bytes) -> bool:
        """See IStorage."""
        if checked(name) in self.records:
            return False
        self.records[name] = data
        return True

    async def swap_record(self, name: str, old: bytes, new: bytes) -> bool:
        """See IStorage."""
        if self.records.get(checked(name)) != old:
            return False
        self.records[name] = new
        return True

    async def list_records(self, folder: str, after: str, most: int) -> Sequence[str]:
        """See IStorage."""
        start = f"{checked(folder)}/"
        return page((name.removeprefix(start) for name in self.records if name.startswith(start)), after, most)


@implementer(IStaging)
class _Staging:
    """A temporary file without a name, read back when it is published."""

    def __init__(self, blobs: dict[Digest, bytes]) -> None:
        self._blobs = blobs
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # closed by publish or abandon

    def fileno(self) -> int:
        """See IStaging."""
        return self._file.fileno()

    async def write(self, data: bytes) -> None:
        """See IStaging."""
        os.write(self.fileno(), data)

    async def publish(self, digest: Digest, size: int) -> None:
        """See IStaging."""
        with self._file:
            data = os.pread(self.fileno(), size + 1, 0)
        if len(data) != size:
            raise StorageUnavailable(f"the blob {digest} was to have {size} bytes and has not")
        self._blobs[digest] = data

    async def abandon(self) -> None:
        """See IStaging."""
        self._file.close()

"""Storage in the daemon's own memory, for tests and trials: gone when the daemon ends."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from twisted.application.service import Service
from zope.interface import implementer

from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.interfaces import InMemory, IStaging, IStorage, Location, Stored, Surroundings
from nixery.storage.records import checked, page
from nixery.storage.spool import append, require

_MEBIBYTE = 1 << 20


def make(settings: Mapping[str, str], surroundings: Surroundings) -> IStorage:
    """See IStorageBackend; NIXERY_MEMORY_LIMIT is the most that blobs may take, in MiB."""
    return MemoryStorage(int(settings["NIXERY_MEMORY_LIMIT"]) * _MEBIBYTE)


@implementer(IStorage)
class MemoryStorage(Service):
    """See IStorage. `limit`: bytes of all blobs together; what would come beyond is refused."""

    abreast = 1

    def __init__(self, limit: int = 1 << 30) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.records: dict[str, bytes] = {}
        self._limit = limit
        self._held = 0

    async def stage(self) -> IStaging:
        """See IStorage."""
        return _Staging(self._keep)

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

    async def remove_record(self, name: str, old: bytes) -> bool:
        """See IStorage."""
        if self.records.get(checked(name)) != old:
            return False
        del self.records[name]
        return True

    async def list_records(self, folder: str, after: str, most: int) -> Sequence[str]:
        """See IStorage."""
        start = f"{checked(folder)}/"
        return page((name.removeprefix(start) for name in self.records if name.startswith(start)), after, most)

    async def list_blobs(self, after: str, most: int) -> Sequence[Stored]:
        """See IStorage."""
        found = page((digest.hex for digest in self.blobs), after, most)
        return [Stored(Digest(word), len(self.blobs[Digest(word)])) for word in found]

    async def check(self, digest: Digest) -> bool:
        """See IStorage."""
        return digest in self.blobs and Digest.of(self.blobs[digest]) == digest

    def _keep(self, digest: Digest, data: bytes) -> None:
        new = 0 if digest in self.blobs else len(data)
        if self._held + new > self._limit:
            raise StorageUnavailable(
                f"the blob {digest} of {len(data)} bytes is too much for the memory that storage may take: "
                f"{self._held} of {self._limit} bytes are taken (NIXERY_MEMORY_LIMIT)"
            )
        self.blobs[digest] = data
        self._held += new


@implementer(IStaging)
class _Staging:
    """A temporary file without a name, read back when it is published."""

    def __init__(self, keep: Callable[[Digest, bytes], None]) -> None:
        self._keep = keep
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # closed by publish or abandon

    def fileno(self) -> int:
        """See IStaging."""
        return self._file.fileno()

    async def write(self, data: bytes) -> None:
        """See IStaging."""
        append(self.fileno(), data)

    async def publish(self, digest: Digest, size: int) -> None:
        """See IStaging."""
        with self._file:
            require(self.fileno(), digest, size)
            self._file.seek(0)
            self._keep(digest, self._file.read(size))  # one pread gives 2 GiB at most

    async def abandon(self) -> None:
        """See IStaging."""
        self._file.close()

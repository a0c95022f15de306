"""Storage in a folder of this host, laid out as docs/architecture.md says under Storage."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ParamSpec, TypeVar

from twisted.application.service import Service
from zope.interface import implementer

from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.pool import Pool
from nixery.errors import ConfigError, StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.disk import Disk
from nixery.storage.folder import Folder
from nixery.storage.interfaces import IStaging, IStorage, LocalFile, Location, Stored, Surroundings
from nixery.storage.proven import Doubt, Proven
from nixery.storage.records import checked, is_blob, page
from nixery.storage.spool import discard, require
from nixery.storage.staging import Staging

P = ParamSpec("P")
T = TypeVar("T")

_PROOFS_AT_ONCE = 2


def make(settings: Mapping[str, str], surroundings: Surroundings) -> IStorage:
    """See IStorageBackend; STORAGE_PATH is the folder."""
    root = settings["STORAGE_PATH"]
    try:
        if not surroundings.read_only:
            os.makedirs(root, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"STORAGE_PATH is {root!r}: {error.strerror}; name a folder that can be written") from error
    kind, access = ("read", 0) if surroundings.read_only else ("written", os.W_OK)
    if not os.access(root, os.R_OK | os.X_OK | access):
        raise ConfigError(f"STORAGE_PATH is {root!r}, which cannot be {kind}; name a folder that can")
    return FilesystemStorage(Folder(root), surroundings.files, surroundings.read_only)


@implementer(IStorage)
class FilesystemStorage(Service):
    """See IStorage. `read_only`: leave the folder as it is; what would write raises StorageUnavailable."""

    abreast = _PROOFS_AT_ONCE  # which a look may need; else a folder answers at once, and the reactor waits for threads

    def __init__(self, folder: Folder, threads: Pool, read_only: bool = False) -> None:
        self._folder = folder
        self._read_only = read_only
        self._disk = Disk(folder.root, threads)
        self._proven = Proven()
        self._proofs: Coalescer[Digest, LocalFile | None] = Coalescer(_PROOFS_AT_ONCE)

    def startService(self) -> None:
        """Make our staging folder, and remove what dead processes left in theirs."""
        if not self._read_only:
            self._folder.open()
        super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def stopService(self) -> None:
        """Leave no staged file behind."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._folder.close()

    async def stage(self) -> IStaging:
        """See IStorage."""
        descriptor, path = await self._write(self._folder.stage)
        return Staging(self._disk, descriptor, path, self._publish)

    async def find(self, digest: Digest) -> Location | None:
        """See IStorage. A blob that this process did not write is hashed before it is first named."""
        found = await self._disk.run(self._proven.find, self._path(digest))
        return await self._proved(digest) if found is Doubt.UNPROVEN else found

    async def has_all(self, blobs: Mapping[Digest, int]) -> bool:
        """See IStorage."""
        found = await self._disk.run(self._look, blobs)
        for digest in [digest for digest, blob in found.items() if blob is Doubt.UNPROVEN]:
            found[digest] = await self._proved(digest)
        return all(isinstance(blob, LocalFile) and blob.size == blobs[digest] for digest, blob in found.items())

    async def read(self, digest: Digest, limit: int) -> bytes | None:
        """See IStorage."""
        found = await self.find(digest)
        if found is None:
            return None
        if found.size > limit:
            raise StorageUnavailable(f"the blob {digest} has {found.size} bytes; at most {limit} were expected")
        return await self._disk.run(self._folder.read, f"layers/{digest.hex}")

    async def read_record(self, name: str) -> bytes | None:
        """See IStorage."""
        return await self._disk.run(self._folder.read, checked(name))

    async def create_record(self, name: str, data: bytes) -> bool:
        """See IStorage."""
        return await self._write(self._folder.create, checked(name), data)

    async def swap_record(self, name: str, old: bytes, new: bytes) -> bool:
        """See IStorage."""
        return await self._write(self._folder.swap, checked(name), old, new)

    async def remove_record(self, name: str, old: bytes) -> bool:
        """See IStorage."""
        return await self._write(self._folder.remove, checked(name), old)

    async def list_records(self, folder: str, after: str, most: int) -> Sequence[str]:
        """See IStorage."""
        return await self._disk.run(self._list, checked(folder), after, most)

    async def list_blobs(self, after: str, most: int) -> Sequence[Stored]:
        """See IStorage."""
        return await self._disk.run(self._blobs, after, most)

    async def check(self, digest: Digest) -> bool:
        """See IStorage."""
        return await self._disk.run(self._proven.prove, self._path(digest), digest) is not None

    async def _publish(self, descriptor: int, path: str, digest: Digest, size: int) -> None:
        """All of it happens in one call, so that a cancelled waiter closes nothing that is in use."""
        await self._disk.run(self._published, descriptor, path, digest, size)

    def _published(self, descriptor: int, path: str, digest: Digest, size: int) -> None:
        try:
            require(descriptor, digest, size)
            self._folder.publish(descriptor, path, f"layers/{digest.hex}")
            self._proven.add(self._path(digest), os.fstat(descriptor))
        finally:
            discard(descriptor, path)

    async def _write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._read_only:
            raise StorageUnavailable(f"the storage folder {self._folder.root} is only read by this process")
        return await self._disk.run(function, *args, **kwargs)

    def _blobs(self, after: str, most: int) -> list[Stored]:
        found = page(self._folder.names("layers"), after, most, is_blob)
        return [Stored(Digest(word), self._folder.size("layers", word) or 0) for word in found]

    def _list(self, folder: str, after: str, most: int) -> Sequence[str]:
        return page(self._folder.names(folder), after, most)

    def _look(self, digests: Iterable[Digest]) -> dict[Digest, LocalFile | Doubt | None]:
        return {digest: self._proven.find(self._path(digest)) for digest in digests}

    async def _proved(self, digest: Digest) -> LocalFile | None:
        """One hash of a blob for however many ask, and few at once, as it takes as long as the blob is large."""
        path = self._path(digest)
        return await self._proofs.join(digest, lambda: self._disk.run(self._proven.prove, path, digest))

    def _path(self, digest: Digest) -> str:
        return self._folder.path("layers", digest.hex)

"""Storage in a folder of this host, laid out as docs/architecture.md says under Storage."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import ParamSpec, Protocol, TypeVar

from twisted.application.service import Service
from twisted.logger import Logger
from zope.interface import implementer

from nixery.concurrency.pool import Pool
from nixery.errors import ConfigError, StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.folder import Folder
from nixery.storage.interfaces import IStaging, IStorage, LocalFile, Location
from nixery.storage.records import checked

P = ParamSpec("P")
T = TypeVar("T")


class _Run(Protocol):
    async def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...


_KNOWN_GOOD = 100_000
"""How many blobs are remembered as good (some 200 bytes each)."""


def make(settings: Mapping[str, str], threads: Pool) -> IStorage:
    """See IStorageBackend; STORAGE_PATH is the folder."""
    root = settings["STORAGE_PATH"]
    try:
        os.makedirs(root, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"STORAGE_PATH is {root!r}: {error.strerror}; name a folder that can be written") from error
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(f"STORAGE_PATH is {root!r}, which cannot be written; name a folder that can")
    return FilesystemStorage(Folder(root), threads)


@implementer(IStorage)
class FilesystemStorage(Service):
    """See IStorage."""

    def __init__(self, folder: Folder, threads: Pool) -> None:
        self._folder = folder
        self._threads = threads
        self._good = _KnownGood()

    def startService(self) -> None:
        """Make our staging folder, and remove what dead processes left in theirs."""
        self._folder.open()
        super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def stopService(self) -> None:
        """Leave no staged file behind."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._folder.close()

    async def stage(self) -> IStaging:
        """See IStorage."""
        descriptor, path = await self._run(self._folder.stage)
        return _Staging(self._folder, self._run, self._good, descriptor, path)

    async def find(self, digest: Digest) -> Location | None:
        """See IStorage. A blob that this process did not write is hashed before it is first named."""
        return await self._run(self._find, digest)

    async def has_all(self, blobs: Mapping[Digest, int]) -> bool:
        """See IStorage."""
        return await self._run(self._has_all, blobs)

    async def read(self, digest: Digest, limit: int) -> bytes | None:
        """See IStorage."""
        found = await self.find(digest)
        if found is None:
            return None
        if found.size > limit:
            raise StorageUnavailable(f"the blob {digest} has {found.size} bytes; at most {limit} were expected")
        return await self._run(self._folder.read, f"layers/{digest.hex}")

    async def read_record(self, name: str) -> bytes | None:
        """See IStorage."""
        return await self._run(self._folder.read, checked(name))

    async def create_record(self, name: str, data: bytes) -> bool:
        """See IStorage."""
        return await self._run(self._folder.create, checked(name), data)

    async def swap_record(self, name: str, old: bytes, new: bytes) -> bool:
        """See IStorage."""
        return await self._run(self._folder.swap, checked(name), old, new)

    def _find(self, digest: Digest) -> LocalFile | None:
        return self._good.find(self._folder.path("layers", digest.hex), digest)

    def _has_all(self, blobs: Mapping[Digest, int]) -> bool:
        found = ((self._find(digest), size) for digest, size in blobs.items())
        return all(blob is not None and blob.size == size for blob, size in found)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._threads.run(function, *args, **kwargs)
        except OSError as error:
            raise StorageUnavailable(f"the storage folder {self._folder.root}: {error.strerror or error}") from error


@implementer(IStaging)
class _Staging:
    """A file in our staging folder. Whoever takes the descriptor out of it closes it."""

    def __init__(self, folder: Folder, run: _Run, good: "_KnownGood", descriptor: int, path: str) -> None:
        self._folder = folder
        self._run = run
        self._good = good
        self._descriptor = descriptor
        self._path = path

    def fileno(self) -> int:
        """See IStaging."""
        return self._descriptor

    async def publish(self, digest: Digest, size: int) -> None:
        """See IStaging. All of it happens in one call, so that a cancelled waiter closes nothing that is in use."""
        descriptor, self._descriptor = self._descriptor, -1
        await self._run(self._publish, descriptor, digest, size)

    async def abandon(self) -> None:
        """See IStaging."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            await self._run(self._folder.discard, descriptor, self._path)

    def _publish(self, descriptor: int, digest: Digest, size: int) -> None:
        try:
            written = os.fstat(descriptor).st_size
            if written != size:
                raise StorageUnavailable(f"the blob {digest} was to have {size} bytes and has {written}")
            self._folder.publish(descriptor, self._path, f"layers/{digest.hex}")
            self._good.add(digest, os.fstat(descriptor))
        finally:
            self._folder.discard(descriptor, self._path)


class _KnownGood:
    """Blobs whose bytes were seen to have their digest, by what stat said of them then.

    A file that was truncated, emptied or written over has another stat, and is hashed again (blocking calls).
    """

    _log = Logger()

    def __init__(self) -> None:
        self._stamps: OrderedDict[Digest, tuple[int, int, int]] = OrderedDict()

    def add(self, digest: Digest, stat: os.stat_result) -> None:
        """Remember a blob as good."""
        self._stamps[digest] = _stamp(stat)
        self._stamps.move_to_end(digest)
        while len(self._stamps) > _KNOWN_GOOD:
            self._stamps.popitem(last=False)

    def find(self, path: str, digest: Digest) -> LocalFile | None:
        """The blob in the file at `path` if that is what it holds."""
        try:
            stat = os.stat(path)
            if self._stamps.get(digest) != _stamp(stat):
                with open(path, "rb") as file:
                    stat = os.fstat(file.fileno())
                    if hashlib.file_digest(file, "sha256").hexdigest() != digest.hex:
                        self._log.error("{path} is not the blob that its name says; it is made again", path=path)
                        return None
                self.add(digest, stat)
        except FileNotFoundError:
            return None
        return LocalFile(path, stat.st_size)


def _stamp(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns

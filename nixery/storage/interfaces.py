"""What a storage is: immutable blobs under their digests, and small named records.

See docs/architecture.md, Storage.
"""

from collections.abc import Mapping, Sequence

from attrs import frozen
from twisted.application.service import IService
from zope.interface import Attribute, Interface

from nixery.concurrency.pool import Pool
from nixery.images.digest import Digest


@frozen
class LocalFile:
    """A blob in a file of this host. `size` in bytes."""

    path: str
    size: int


@frozen
class InMemory:
    """A blob held in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)


@frozen
class Redirect:
    """A blob that the client fetches elsewhere. `size` in bytes."""

    url: str
    size: int


Location = LocalFile | InMemory | Redirect


class IStaging(Interface):
    """A blob being written: a local file that nobody else sees until it is published."""

    def fileno() -> int:
        """The descriptor to write to, open until publish or abandon."""

    async def write(data: bytes) -> None:
        """Append bytes, for blobs that are small enough to be at hand; raises StorageUnavailable."""

    async def publish(digest: Digest, size: int) -> None:
        """Sync what was written and make it a blob, in one atomic step; the caller vouches for digest and size (bytes).

        Publishing what is stored already is fine. Raises StorageUnavailable, and then nothing is stored, also when
        fewer or more bytes than `size` were written.
        """

    async def abandon() -> None:
        """Leave nothing behind; does nothing after publish."""


class IStorage(IService):
    """Blobs and records, run as a service. Whatever a backend cannot do now raises StorageUnavailable."""

    async def stage() -> IStaging:
        """Begin a blob."""

    async def find(digest: Digest) -> Location | None:
        """Where a blob is, or None when it is not stored."""

    async def has_all(blobs: Mapping[Digest, int]) -> bool:
        """Whether all of these are stored, with these sizes in bytes."""

    async def read(digest: Digest, limit: int) -> bytes | None:
        """A small blob's bytes, or None when it is not stored; over `limit` bytes raises StorageUnavailable."""

    async def read_record(name: str) -> bytes | None:
        """A record's bytes, or None. Names are `/`-separated words of [a-z0-9.:-]."""

    async def create_record(name: str, data: bytes) -> bool:
        """Write a record unless one of that name exists; says whether it was written."""

    async def swap_record(name: str, old: bytes, new: bytes) -> bool:
        """Write `new` over a record that is still `old`; says whether it was written."""

    async def list_records(folder: str, after: str, most: int) -> Sequence[str]:
        """The last words of the names of the records right in a folder, such as `v1/names`: those after `after`.

        In the order of their bytes, and at most `most`: fewer mean that there are no more.
        """


class IStorageBackend(Interface):
    """A plugin that makes storages of one kind (with twisted.plugin.IPlugin)."""

    name: str = Attribute("what NIXERY_STORAGE_BACKEND says to choose it")

    def make(settings: Mapping[str, str], threads: Pool) -> IStorage:
        """A storage from settings (environment variable names to values), with `threads` for
        its blocking calls. Raises ConfigError."""

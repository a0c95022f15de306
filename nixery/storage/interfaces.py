"""What a storage is: immutable blobs under their digests, and small named records.

See docs/architecture.md, Storage.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from attrs import frozen
from twisted.application.service import IService
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
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
    """A blob that the client fetches elsewhere. `size` in bytes; `read`: as Remote's, None where we cannot."""

    url: str
    size: int
    read: Callable[[int, int], Awaitable[bytes]] | None = None


@frozen
class Remote:
    """A blob that we read elsewhere. `size` in bytes.

    `read`: exactly `length` bytes from `offset` on, which the blob has; raises StorageUnavailable.
    """

    size: int
    read: Callable[[int, int], Awaitable[bytes]]


Location = LocalFile | InMemory | Remote | Redirect


@frozen(order=True)
class Stored:
    """A blob that a listing names. `size` in bytes."""

    digest: Digest
    size: int


class IStaging(Interface):
    """A blob being written: a local file that nobody else sees until it is published."""

    def fileno() -> int:
        """The descriptor to write to, open until publish or abandon."""

    async def write(data: bytes) -> None:
        """Append bytes, for blobs that are small enough to be at hand; raises StorageUnavailable."""

    async def publish(digest: Digest, size: int) -> None:
        """Sync what was written and make it a blob, in one atomic step.

        Publishing what is stored already is fine. Raises StorageUnavailable, and then nothing is stored, also when
        what was written has not that digest, or fewer or more bytes than `size`.
        """

    async def abandon() -> None:
        """Leave nothing behind; does nothing after publish."""


class IStorage(IService):
    """Blobs and records, run as a service. Whatever a backend cannot do now raises StorageUnavailable."""

    abreast: int = Attribute(
        "how many small reads to ask for at once: few where answers come at once, as from a folder"
    )

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

    async def remove_record(name: str, old: bytes) -> bool:
        """Remove a record that is still `old`; says whether it was removed."""

    async def list_records(folder: str, after: str, most: int) -> Sequence[str]:
        """The last words of the names of the records right in a folder, such as `v1/names`: those after `after`.

        In the order of their bytes, and at most `most`: fewer mean that there are no more.
        """

    async def list_blobs(after: str, most: int) -> Sequence[Stored]:
        """The blobs whose digests' hexadecimal digits come after `after`, in pages as list_records gives them.

        Whether they are what their names say is not asked.
        """

    async def check(digest: Digest) -> bool:
        """Read a whole blob anew and say whether it is what its name says; one that is gone is not."""


class IReactorThreadsTime(IReactorFromThreads, IReactorTime):
    """What a storage needs of a reactor."""


@frozen
class Surroundings:
    """What a storage may use.

    `files`: a pool for what waits for this host's files; a backend that waits for others has a pool of its own.
    `spool`: a local folder for what is on its way, made when it is needed. `read_only`: whether nothing will be
    written.
    """

    reactor: IReactorThreadsTime
    files: Pool
    spool: str
    read_only: bool = False


class IStorageBackend(Interface):
    """A plugin that makes storages of one kind (with twisted.plugin.IPlugin)."""

    name: str = Attribute("what NIXERY_STORAGE_BACKEND says to choose it")

    def make(settings: Mapping[str, str], surroundings: Surroundings) -> IStorage:
        """A storage from settings (environment variable names to values). Blocks for seconds at most.

        Raises ConfigError, also where the place cannot be used, or does not do what a storage needs of it.
        """

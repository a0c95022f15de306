"""A blob that is being written to a file in a spool."""

from collections.abc import Awaitable, Callable

from zope.interface import implementer

from nixery.images.digest import Digest
from nixery.storage.disk import Disk
from nixery.storage.interfaces import IStaging
from nixery.storage.spool import append, discard

Take = Callable[[int, str, Digest, int], Awaitable[None]]
"""Makes a file a blob, by its descriptor and path, which are its own from then on: it closes and removes them."""


@implementer(IStaging)
class Staging:
    """See IStaging. `take`: what publishing is."""

    def __init__(self, disk: Disk, descriptor: int, path: str, take: Take) -> None:
        self._disk = disk
        self._descriptor = descriptor
        self._path = path
        self._take = take

    def fileno(self) -> int:
        """See IStaging."""
        return self._descriptor

    async def write(self, data: bytes) -> None:
        """See IStaging."""
        await self._disk.run(append, self._descriptor, data)

    async def publish(self, digest: Digest, size: int) -> None:
        """See IStaging."""
        descriptor, self._descriptor = self._descriptor, -1
        await self._take(descriptor, self._path, digest, size)

    async def abandon(self) -> None:
        """See IStaging."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            await self._disk.run(discard, descriptor, self._path)

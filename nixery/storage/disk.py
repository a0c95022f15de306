"""Calls that wait for a folder of this host, in threads: what the operating system refuses is StorageUnavailable."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from attrs import frozen

from nixery.concurrency.pool import Pool
from nixery.errors import StorageUnavailable

P = ParamSpec("P")
T = TypeVar("T")


@frozen
class Disk:
    """A pool whose functions work in the folder `root`."""

    root: str
    threads: Pool

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See Pool; raises StorageUnavailable instead of OSError."""
        try:
            return await self.threads.run(function, *args, **kwargs)
        except OSError as error:
            raise StorageUnavailable(f"the storage folder {self.root}: {error.strerror or error}") from error

"""A storage and a pool that the tests of the packer look into."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from zope.interface import implementer

from nixery.images.digest import Digest
from nixery.storage.interfaces import IStaging
from nixery.storage.memory import MemoryStorage

P = ParamSpec("P")
T = TypeVar("T")


@implementer(IStaging)
class Staged:
    """A staging that writes down what is done to it."""

    def __init__(self, inner: IStaging, done: list[str]) -> None:
        self.inner = inner
        self.done = done

    def fileno(self) -> int:
        return self.inner.fileno()

    async def write(self, data: bytes) -> None:
        await self.inner.write(data)

    async def publish(self, digest: Digest, size: int) -> None:
        self.done.append("publish")
        await self.inner.publish(digest, size)

    async def abandon(self) -> None:
        self.done.append("abandon")
        await self.inner.abandon()


class Storage(MemoryStorage):
    """A memory storage that writes down what is done to its staged blobs."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    async def stage(self) -> IStaging:
        self.done.append("stage")
        return Staged(await super().stage(), self.done)


class HeldPool:
    """A pool whose functions end when the test says so."""

    def __init__(self) -> None:
        self.held: list[tuple[Deferred[Any], tuple[Any, ...]]] = []

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        ended: Deferred[T] = Deferred()
        self.held.append((ended, args))
        return await ended

    def told_to_end(self) -> list[bool]:
        return [args[-1].is_set() for _, args in self.held]

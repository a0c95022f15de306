"""A storage that takes as long as the test says."""

from twisted.internet.defer import Deferred

from nixery.storage.memory import MemoryStorage


class SlowToRead(MemoryStorage):
    """Reads a record when it is told to."""

    abreast = 3

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Deferred[None]] = []

    async def read_record(self, name: str) -> bytes | None:
        self.asked.append(Deferred())
        await self.asked[-1]
        return await super().read_record(name)

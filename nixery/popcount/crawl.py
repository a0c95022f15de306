"""Goes through the closures of store paths in a binary cache, many paths at once."""

from collections.abc import Awaitable, Callable, Iterable

from attrs import define, field, frozen

from nixery.concurrency.abreast import abreast
from nixery.popcount.base import digest_of
from nixery.popcount.counts import Counts
from nixery.popcount.remembered import Remembered

Step = Callable[[int, int], None]
"""Is told how many paths are done, and how many there are as far as is known."""


@frozen
class Found:
    """`asked`: paths of the closures; `missing`: those that the cache does not have."""

    counts: Counts
    asked: int
    missing: int


@define
class Crawl:
    """One walk. `ask`: the references of the path with a digest, or None; `at_once`: most questions under way."""

    ask: Callable[[str], Awaitable[tuple[str, ...] | None]]
    remembered: Remembered
    at_once: int
    step: Step
    _counts: Counts = field(factory=Counts, init=False)
    _seen: set[str] = field(factory=set, init=False)
    _next: list[str] = field(factory=list, init=False)
    _done: int = field(default=0, init=False)
    _missing: int = field(default=0, init=False)

    async def of(self, digests: Iterable[str]) -> Found:
        """Count the references of these paths and of all that they lead to; raises what `ask` raises."""
        self._add(digests)
        while self._next:
            wave, self._next = self._next, []
            await abreast(wave, self.at_once, self._visit)
        return Found(self._counts, self._done, self._missing)

    async def _visit(self, digest: str) -> None:
        found = self.remembered.get(digest)
        if found is None:
            found = await self.ask(digest)
            if found is not None:
                self.remembered.keep(digest, found)
        self._take(found)

    def _take(self, found: tuple[str, ...] | None) -> None:
        self._done += 1
        if found is None:
            self._missing += 1
        else:
            self._counts.add(found)
            self._add(digest_of(reference) for reference in found)
        self.step(self._done, len(self._seen))

    def _add(self, digests: Iterable[str]) -> None:
        for digest in digests:
            if digest not in self._seen:
                self._seen.add(digest)
                self._next.append(digest)

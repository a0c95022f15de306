"""Keeps an index as new as apt's lists, and makes it anew when it names packages that have left the mirror."""

import math
from collections.abc import Callable, Coroutine
from contextlib import suppress

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.concurrency.coalescer import Coalescer, Hold
from nixery.concurrency.pool import Pool
from nixery.errors import SourceUnavailable, StillBuilding
from nixery.sources.debian_index import may_be_replaced, read_index
from nixery.sources.debian_program import IndexProgram

_PATIENCE = 60.0
"""Seconds that anybody waits for a new index; then the old one has to do, and the work goes on."""

_PAUSE = 300.0
"""Seconds between two renewals: a mirror may lack a file for good."""


class Refresher:
    """Whatever goes wrong here is logged, and the index that is there goes on being used: it is sound.

    `index`: the path that leads to it. `newer`: whether apt has newer lists than an index was made of; it is asked in
    a thread, at most every `ttl` seconds.
    """

    _log = Logger()

    def __init__(
        self,
        index: str,
        program: IndexProgram,
        newer: Callable[[str], bool],
        threads: Pool,
        clock: IReactorTime,
        ttl: float,
    ) -> None:
        self._index = index
        self._program = program
        self._newer = newer
        self._threads = threads
        self._clock = clock
        self._ttl = ttl
        self._looks: Coalescer[None, None] = Coalescer(1)
        self._renewals: Coalescer[None, None] = Coalescer(1)
        self._looked = self._renewed = -math.inf
        self._told = False

    async def refresh(self) -> None:
        """Make the index anew if apt has newer lists, once for all who ask."""
        if not len(self._looks):
            if 0 <= self._since(self._looked) < self._ttl:
                return
            self._looked = self._clock.seconds()
        await self._wait(self._looks, self._look, self._looked)

    async def renew(self, pin: str) -> None:
        """Make the index anew if it still has this pin: of newer lists, or else of lists that apt fetches now."""
        if not len(self._renewals):
            if 0 <= self._since(self._renewed) < _PAUSE:
                return
            self._renewed = self._clock.seconds()
        await self._wait(self._renewals, lambda: self._renew(pin), self._renewed)

    def _since(self, when: float) -> float:
        """Seconds; less than none where the host's clock was put back, as Twisted's reactors go by that."""
        return self._clock.seconds() - when

    async def _wait(
        self, works: Coalescer[None, None], work: Callable[[], Coroutine[object, object, None]], began: float
    ) -> None:
        left = _PATIENCE - self._since(began)
        if left > 0:
            with suppress(StillBuilding):
                await works.join(None, work, Hold(left, self._clock))

    async def _look(self) -> None:
        if self._program.has_apt() and await self._threads.run(self._newer, self._index):
            await self._make(fetch=False)

    async def _renew(self, pin: str) -> None:
        await self._look()
        if self._program.has_apt() and (await self._threads.run(read_index, self._index)).pin == pin:
            await self._make(fetch=True)

    async def _make(self, fetch: bool) -> None:
        if not await self._threads.run(may_be_replaced, self._index):
            self._tell_once()
            return
        began = self._clock.seconds()
        try:
            index = await self._threads.run(read_index, self._index)
            await self._program.run(self._index, index.architectures, fetch)
            pin = (await self._threads.run(read_index, self._index)).pin
        except SourceUnavailable as error:
            self._log.warn("the index {index} stays as it is: {error}", index=self._index, error=error)
            return
        self._log.info(
            "the index {index} was made anew of {lists} in {seconds:.1f} s, and is {news}",
            index=self._index,
            lists="lists that apt fetched for it" if fetch else "apt's lists",
            seconds=self._since(began),
            news="the same" if pin == index.pin else pin,
        )

    def _tell_once(self) -> None:
        if not self._told:
            self._told = True
            self._log.warn(
                "the index {index} stays as it is, as its folder cannot be written by this user; where apt has newer "
                "lists, run `nixery-debian-index {index}`",
                index=self._index,
            )

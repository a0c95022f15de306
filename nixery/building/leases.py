"""Who builds what, among the instances that share a storage: v1/leases/<BuildKey> names whoever has the turn.

A holder changes its record all the time while it works. One whose record has not changed for a while, by the clock of
whoever waits, is dead, and its turn is taken over. Should it live after all, both build the same: that costs work and
harms nothing, as whatever they write is the same.
"""

import json
from random import Random
from typing import Self

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from nixery.concurrency.background import Background
from nixery.concurrency.recent import Recent
from nixery.errors import StorageUnavailable
from nixery.images.canonical import encode
from nixery.storage.interfaces import IStorage
from nixery.storage.records import parsed

BEAT = 3.0
"""Seconds after which a holder shows that it is alive."""

SILENCE = 4 * BEAT
"""Seconds without a change after which it is not."""

_POLL = 0.5, 1.0
"""Seconds between two looks at another's turn: at random, so that instances do not look in step."""

_LEAVE = 5.0
"""Seconds that giving turns back may take at the end: what is not given back by then ends by our silence."""

_RIVALS = 3
"""Times that a record may change while we give it back: we and our own last beat are all who change it."""


@frozen
class Turn:
    """What a record says. `holder`: a random word; `beat`: changes while it works."""

    holder: str
    beat: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """What a record says; raises ValueError for another's."""
        match json.loads(data):
            case {"holder": str(holder), "beat": int(beat)}:
                return cls(holder, beat)
        raise ValueError("not a turn")

    def encode(self) -> bytes:
        """The record."""
        return encode({"holder": self.holder, "beat": self.beat})


@frozen(eq=False)
class Lease:
    """A turn that is ours."""

    name: str
    holder: str
    beating: Deferred[None]


class Leases:
    """Takes turns at builds; what cannot be written raises StorageUnavailable."""

    _log = Logger()

    def __init__(self, storage: IStorage, clock: IReactorTime, random: Random) -> None:
        self._storage = storage
        self._clock = clock
        self._random = random
        self._dead: Recent[str, bytes] = Recent()
        self._returning: Background[None] = Background()

    async def close(self) -> None:
        """Wait until all that was given back is, or for a while."""
        giving_up = self._clock.callLater(_LEAVE, self._returning.cancel)
        await self._returning.ended()
        if giving_up.active():
            giving_up.cancel()

    async def take(self, key: str) -> Lease | None:
        """The turn at a build, None while it is another's."""
        name, ours = _name(key), Turn(f"{self._random.getrandbits(128):032x}")
        if not await self._taken(name, ours.encode()):
            return None
        self._dead.drop(name)
        return Lease(name, ours.holder, Deferred.fromCoroutine(self._beat(name, ours)))

    def give_back(self, lease: Lease) -> None:
        """End our turn: others may take it as soon as they see that."""
        lease.beating.cancel()
        self._returning.start(self._give_back(lease)).addErrback(lambda failure: failure.trap(CancelledError))

    async def ended(self, key: str) -> None:
        """Wait until another's turn has ended, or its holder is dead."""
        name = _name(key)
        last = await self._storage.read_record(name)
        since = looked = self._clock.seconds()
        while not _is_free(name, last):
            await deferLater(self._clock, self._random.uniform(*_POLL))
            found = await self._storage.read_record(name)
            before, looked = looked, self._clock.seconds()
            # A look that took long says nothing of the holder, and neither does a clock that was set meanwhile.
            if found != last or abs(looked - before) > SILENCE / 2:
                last, since = found, looked
            elif last is not None and looked - since >= SILENCE:
                self._log.warn("{name}: whoever had this turn is silent; it is taken over", name=name)
                self._dead.put(name, last)
                return

    async def _taken(self, name: str, ours: bytes) -> bool:
        if await self._storage.create_record(name, ours):
            return True
        there = await self._storage.read_record(name)
        if there is None or not (_is_free(name, there) or there == self._dead.get(name)):
            return False
        return await self._storage.swap_record(name, there, ours)

    async def _beat(self, name: str, turn: Turn) -> None:
        """Show that we are alive until cancelled, or until somebody has taken us for dead."""
        try:
            while True:
                await deferLater(self._clock, BEAT)
                turn = await self._next(name, turn)
        except CancelledError:
            return
        except _Lost:
            self._log.warn("{name}: another has taken over what is built here", name=name)

    async def _next(self, name: str, turn: Turn) -> Turn:
        following = evolve(turn, beat=turn.beat + 1)
        try:
            if await self._storage.swap_record(name, turn.encode(), following.encode()):
                return following
            # It may be an earlier beat of ours that was written without our hearing of it.
            there = parsed(name, await self._storage.read_record(name), Turn.parse)
        except StorageUnavailable as error:
            self._log.warn("{name}: {error}", name=name, error=error)
            return turn
        if there is None or there.holder != turn.holder:
            raise _Lost
        return there

    async def _give_back(self, lease: Lease) -> None:
        try:
            for _ in range(_RIVALS):
                there = await self._storage.read_record(lease.name)
                turn = parsed(lease.name, there, Turn.parse)
                if there is None or turn is None or turn.holder != lease.holder:
                    return
                if await self._storage.remove_record(lease.name, there):
                    return
        except StorageUnavailable as error:  # then it ends by our silence
            self._log.warn("{name} is not given back: {error}", name=lease.name, error=error)


class _Lost(Exception):
    """The turn is another's by now."""


def _name(key: str) -> str:
    return f"v1/leases/{key}"


def _is_free(name: str, data: bytes | None) -> bool:
    """Whether nobody has the turn; a record that no version of ours wrote holds nobody up."""
    return parsed(name, data, Turn.parse) is None

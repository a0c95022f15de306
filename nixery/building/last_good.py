"""What moving tags were last good for: records that outlive a restart, and that all who share the storage go by.

v1/tags/<source>.<tag>.<image>: the state of the package set that an image was last served from while it was current.
v1/tags/<source>.<tag>.any: the same for whatever image was served last. All are hashed, and the record says them.
"""

import enum
import json
import re
from collections.abc import Sequence
from typing import Self

from attrs import asdict, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.concurrency.recent import Recent
from nixery.concurrency.settled import gathered
from nixery.errors import StorageUnavailable
from nixery.images.canonical import encode, fingerprint
from nixery.images.name import ImageName, Platform, Tag
from nixery.storage.interfaces import IStorage
from nixery.storage.records import parsed, write_record

_PRECISION = 100
"""A state is recorded again when the record's age is this part of what it may be: not at every request."""

_KEY = re.compile("[0-9a-f]{64}")

_SKEW = 300.0
"""Seconds that another host's clock may be ahead of ours: a later record is of a clock that was wrong."""


class Policy(enum.Enum):
    """What becomes of a moving tag whose newest state cannot be had (NIXERY_STALE)."""

    SERVE = "serve"
    REVALIDATE = "revalidate"
    NEVER = "never"


@frozen
class Wanted:
    """An image as it is asked for, for these platforms. `where`: what the tag is looked up in, in words."""

    where: str
    tag: Tag
    name: ImageName
    platforms: tuple[Platform, ...]

    @property
    def records(self) -> tuple[str, str]:
        """The names of its own record and of that for any image."""
        start = f"v1/tags/{hashed(self.where)}.{hashed(self.tag.text)}"
        platforms = [platform.value for platform in self.platforms]  # others may be of other instances
        return f"{start}.{hashed(self.name.packages, platforms, self.name.shell)}", f"{start}.any"


@frozen
class Good:
    """A state of a package set that was good.

    `key`: the BuildKey of the image that was served; None where that was another image. `at`: when this state last was
    the newest, in seconds since 1970.
    """

    pin: str
    key: str | None
    at: float

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """What a record says; raises ValueError for another's, as the key becomes a name and the pin is logged."""
        match json.loads(data):
            case {"pin": str(pin), "key": str() | None as key, "at": int(at) | float(at)}:
                if pin.isprintable() and (key is None or _KEY.fullmatch(key)):
                    return cls(pin, key, float(at))
        raise ValueError("not a state of a package set")


class LastGood:
    """Remembers good states for `most` seconds."""

    _log = Logger()

    def __init__(self, storage: IStorage, clock: IReactorTime, most: float) -> None:
        self._storage = storage
        self._clock = clock
        self._most = most
        self._written: Recent[str, Good] = Recent()

    async def remember(self, wanted: Wanted, pin: str, key: str) -> None:
        """Record that the image was served from the newest state, which is this one."""
        good = Good(pin, key, self._clock.seconds())
        own, any = wanted.records
        try:
            records = self._remember(own, wanted, good), self._remember(any, wanted, evolve(good, key=None))
            await gathered([Deferred.fromCoroutine(record) for record in records])
        except StorageUnavailable as error:  # an image that is there can be served
            self._log.warn("the last good state of {tag} is not recorded: {error}", tag=wanted.tag.text, error=error)

    async def states(self, wanted: Wanted) -> Sequence[Good]:
        """The states to serve the image from instead, the newest first; raises StorageUnavailable."""
        own, any = [parsed(name, await self._storage.read_record(name), Good.parse) for name in wanted.records]
        if own is not None and any is not None and own.pin == any.pin:
            own, any = evolve(own, at=max(own.at, any.at)), None
        now = self._clock.seconds()
        found = [good for good in (own, any) if good is not None and abs(now - good.at) < self._most]
        return sorted(found, key=lambda good: -good.at)

    async def _remember(self, name: str, wanted: Wanted, good: Good) -> None:
        written = self._written.get(name)
        if written is None or _differ(written, good) or abs(good.at - written.at) > self._most / _PRECISION:
            await self._write(name, wanted, good)
            self._written.put(name, good)

    async def _write(self, name: str, wanted: Wanted, good: Good) -> None:
        def was_here_since(old: bytes) -> bool:
            other = parsed(name, old, Good.parse)
            return other is not None and 0 < other.at - good.at < _SKEW

        data = encode({"source": wanted.where, "tag": wanted.tag.text, **asdict(good)})
        await write_record(self._storage, name, data, stands=was_here_since)


def _differ(one: Good, other: Good) -> bool:
    return (one.pin, one.key) != (other.pin, other.key)


def hashed(*words: object) -> str:
    """What stands for these words in a record's name."""
    return fingerprint(words)[:32]

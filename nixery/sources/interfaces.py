"""What a package source is, and what one is made of whose refs move."""

import json
from collections.abc import Collection
from typing import Protocol, Self

from attrs import frozen

from nixery.images.name import Tag
from nixery.images.source import PinnedSource

LATEST = Tag("latest")


@frozen
class Origin:
    """Where tags are looked up.

    `words`: for a person, without passwords, and the same for all who look up the same; `refs`: whether tags name
    different states, or any tag means the newest.
    """

    words: str
    refs: bool

    def meant(self, tag: Tag) -> Tag:
        """One tag for all that mean the same."""
        return tag if self.refs else LATEST


class Source(Protocol):
    """Turns tags into package sets fixed in content."""

    @property
    def origin(self) -> Origin:
        """What the last good images of its tags are kept under."""

    async def pin(self, tag: Tag) -> PinnedSource:
        """The package set that the tag means at this moment; raises SourceUnavailable, and ManifestUnknown for none."""

    def current(self, tag: Tag) -> PinnedSource | None:
        """What `pin` would give, where that is known without waiting; None leaves it open."""

    async def again(self, pin: str) -> PinnedSource:
        """The package set of an earlier pin; raises ManifestUnknown where it is gone, and SourceUnavailable."""

    async def still(self, pinned: PinnedSource) -> bool:
        """Whether what was evaluated since is what was pinned; raises SourceUnavailable."""

    async def renew(self, pinned: PinnedSource) -> bool:
        """Look for a newer state than this, where one names files that are gone; says whether there is one.

        Raises SourceUnavailable.
        """

    async def tags(self) -> Collection[str]:
        """The tags that can be named here, commits left out; raises SourceUnavailable."""

    def lasting(self, tag: Tag) -> bool:
        """Whether the last good image of a tag may be served where the newest state cannot be had.

        Not of a tag that means the same always, nor where an older state must not be served.
        """


@frozen
class Sighting:
    """What a ref was seen to mean.

    `seen`: when it was asked for, by the reactor's clock (seconds since 1970); None when it never changes.
    """

    pin: str
    seen: float | None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """What the record of a ref says (see Pins); raises ValueError for another's."""
        match json.loads(data):
            case {"pin": str(pin), "seen": None}:
                return cls(pin, None)
            case {"pin": str(pin), "seen": int(seen) | float(seen)}:
                return cls(pin, float(seen))
        raise ValueError("not what a ref was seen to mean")


class Upstream(Protocol):
    """A place where refs are looked up, and the content of pins is had from."""

    @property
    def words(self) -> str:
        """What and where it is, for a person: without passwords, and the same for all who look up the same."""

    async def tags(self) -> Collection[str]:
        """See Source."""

    async def look(self, tag: Tag) -> Sighting:
        """What a tag means, asked for at most a TTL ago; raises SourceUnavailable, and ManifestUnknown for none."""

    async def have(self, pin: str) -> PinnedSource:
        """The content of a pin, fetched unless it is here; raises ManifestUnknown and SourceUnavailable."""

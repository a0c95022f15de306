"""What a package source is."""

from typing import Protocol

from nixery.images.name import Tag
from nixery.images.source import PinnedSource


class Source(Protocol):
    """Turns tags into package sets fixed in content."""

    async def pin(self, tag: Tag) -> PinnedSource:
        """The package set that the tag means at this moment; raises SourceUnavailable."""

    async def still(self, pinned: PinnedSource) -> bool:
        """Whether the content is at this moment what was pinned; raises SourceUnavailable."""

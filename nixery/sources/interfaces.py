"""What a package source is."""

from typing import Protocol

from nixery.images.name import Tag
from nixery.images.source import PinnedSource

LATEST = Tag("latest")


class Source(Protocol):
    """Turns tags into package sets fixed in content."""

    async def pin(self, tag: Tag) -> PinnedSource:
        """The package set that the tag means at this moment; raises SourceUnavailable, and ManifestUnknown for none."""

    async def still(self, pinned: PinnedSource) -> bool:
        """Whether the content is at this moment what was pinned; raises SourceUnavailable."""

    def tag_of(self, pin: str) -> Tag:
        """What to ask `pin` for to have an earlier pin again, if it can be had."""

"""What the registry asks of whoever makes the images."""

from collections.abc import Collection
from typing import Protocol

from nixery.building.served import Served
from nixery.images.digest import Digest
from nixery.images.name import ImageName, Tag
from nixery.images.source import PinnedSource


class Images(Protocol):
    """Where images come from. Whatever cannot be had raises one of nixery.errors."""

    async def by_tag(self, name: ImageName, tag: Tag) -> Served:
        """The image of that name, built if need be.

        Joins a build in flight or starts one. Cancelling the wait leaves the build alone.
        """

    def means(self, tag: Tag, pinned: PinnedSource) -> bool:
        """Whether by_tag would give what is from this state, as far as can be said without waiting."""

    async def tags(self) -> Collection[str]:
        """The tags that can be named, of any image."""

    async def by_digest(self, digest: Digest) -> bytes:
        """The bytes of a stored manifest; raises ManifestUnknown."""

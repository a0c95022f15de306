"""Images as others have built and recorded them: nothing is made, and nothing written."""

from collections.abc import Collection

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from nixery.building.cache import Cache
from nixery.building.last_good import LastGood, Wanted
from nixery.building.recorded_tags import RecordedTags
from nixery.building.served import Served
from nixery.errors import ManifestUnknown
from nixery.images.digest import Digest
from nixery.images.name import ImageName, Platform, Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import LATEST, Origin
from nixery.storage.interfaces import IStorage

_EVER = float("inf")
"""Seconds for which a last good state is served: there is no newer one to be had here."""

_PULL = "this registry only serves what is stored: pull it from one that builds and has the same storage, then again"


@frozen
class Meaning:
    """What decides on what names and tags mean: as it is said to those who build, it has to be said here.

    `settings`: see nixery.building.tags.Serving; `platforms`: of names that leave it open.
    """

    origin: Origin
    settings: str
    platforms: tuple[Platform, ...]

    @property
    def where(self) -> str:
        """See Wanted."""
        return self.origin.words + self.settings

    def wanted(self, name: ImageName, tag: Tag) -> Wanted:
        """What somebody wants who asks for this."""
        return Wanted(self.where, self.origin.meant(tag), name, name.platforms(self.platforms))


class StoredImages:
    """Answers as Tags does, from records alone."""

    def __init__(self, storage: IStorage, meaning: Meaning, clock: IReactorTime) -> None:
        self._cache = Cache(storage)
        self._good = LastGood(storage, clock, _EVER)
        self._meaning = meaning
        self._recorded = RecordedTags(storage, meaning.where)

    async def by_tag(self, name: ImageName, tag: Tag) -> Served:
        """The image of that name that was last served where images are built; raises ManifestUnknown."""
        for good in await self._good.states(self._meaning.wanted(name, tag)):
            rendered = None if good.key is None else await self._cache.rendered(good.key)
            if rendered is not None:
                return Served(rendered)
        raise ManifestUnknown(f"{name.text}:{tag.text} is not stored here, and {_PULL}")

    def means(self, tag: Tag, pinned: PinnedSource) -> bool:
        """See Tags. No package set is looked at here."""
        return False

    async def by_digest(self, digest: Digest) -> bytes:
        """The bytes of a manifest or an index of which everything is stored; raises ManifestUnknown."""
        manifest = await self._cache.manifest(digest)
        if manifest is None:
            raise ManifestUnknown(f"the manifest {digest} is not stored here with all that it names, and {_PULL}")
        return manifest

    async def tags(self) -> Collection[str]:
        """The tags by which images were had; `latest` alone where any tag means the same."""
        return await self._recorded.tags() if self._meaning.origin.refs else {LATEST.text}

"""Images by their tags: from the newest state of the package set, or else from the last good one."""

from collections.abc import Collection

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from nixery.building.earlier import Earlier
from nixery.building.last_good import LastGood, Policy, Wanted
from nixery.building.newest import NO_VERDICT, Newest
from nixery.building.patience import Patience
from nixery.building.platforms import Platforms
from nixery.building.revalidation import Revalidation
from nixery.building.served import Served
from nixery.images.digest import Digest
from nixery.images.name import ImageName, Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import Source


@frozen
class Serving:
    """How tags are answered.

    `hold`: seconds that a request waits; `settings`: stands for those that decide on what a name means, so that no
    image is served that other settings allowed.
    """

    policy: Policy
    hold: float
    settings: str = ""


class Tags:
    """Answers by tag, and by digest as Platforms does."""

    def __init__(
        self, source: Source, platforms: Platforms, good: LastGood, clock: IReactorTime, serving: Serving
    ) -> None:
        self._source = source
        self._platforms = platforms
        self._serving = serving
        self._newest = Newest(source, platforms, good, clock, serving.hold)
        self._earlier = Earlier(good, self._newest, platforms)
        self._patience = Patience(self._newest, self._earlier, clock)
        self._revalidation = Revalidation(self._newest, self._earlier, clock, serving.hold)

    async def by_digest(self, digest: Digest) -> bytes:
        """See Platforms."""
        return await self._platforms.by_digest(digest)

    async def tags(self) -> Collection[str]:
        """The tags that can be named; raises SourceUnavailable."""
        return await self._source.tags()

    def means(self, tag: Tag, pinned: PinnedSource) -> bool:
        """Whether the tag means this state at this moment; not so where that cannot be said without waiting."""
        return self._source.current(tag) == pinned

    async def by_tag(self, name: ImageName, tag: Tag) -> Served:
        """The image of that name, from the newest state of what the tag means if that can be had.

        Cancelling the wait, or the end of its time, leaves builds alone.
        """
        end, origin = self._newest.end(), self._source.origin
        where, meant = origin.words + self._serving.settings, origin.meant(tag)
        wanted = Wanted(where, meant, name, self._platforms.asked(name))
        if self._serving.policy is Policy.NEVER or not self._source.lasting(tag):
            return await self._newest.remembered(wanted, end)
        try:
            if self._serving.policy is Policy.REVALIDATE:
                return await self._revalidation.image(wanted)
            return await self._patience.image(wanted, end)
        except NO_VERDICT as error:
            return await self._earlier.instead(wanted, error, end)

"""Images by their tags: from the newest state of the package set, or else from the last good one."""

from collections.abc import Collection

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from nixery.building.builder import Builder
from nixery.building.earlier import Earlier, Served
from nixery.building.last_good import LastGood, Policy, Wanted
from nixery.building.newest import NO_VERDICT, Newest
from nixery.building.patience import Patience
from nixery.building.revalidation import Revalidation
from nixery.images.digest import Digest
from nixery.images.name import ImageName, Platform, Tag
from nixery.sources.interfaces import Source


@frozen
class Serving:
    """How tags are answered.

    `hold`: seconds that a request waits; `platform`: of names that leave it open; `settings`: stands for those that
    decide on what a name means, so that no image is served that other settings allowed.
    """

    policy: Policy
    hold: float
    platform: Platform
    settings: str = ""


class Tags:
    """Answers by tag, and by digest as the builder does."""

    def __init__(self, source: Source, builder: Builder, good: LastGood, clock: IReactorTime, serving: Serving) -> None:
        self._source = source
        self._builder = builder
        self._serving = serving
        self._newest = Newest(source, builder, good, clock, serving.hold)
        self._earlier = Earlier(good, self._newest, builder)
        self._patience = Patience(self._newest, self._earlier, clock)
        self._revalidation = Revalidation(self._newest, self._earlier, clock, serving.hold)

    async def by_digest(self, digest: Digest) -> bytes:
        """See Builder."""
        return await self._builder.by_digest(digest)

    async def tags(self) -> Collection[str]:
        """The tags that can be named; raises SourceUnavailable."""
        return await self._source.tags()

    async def by_tag(self, name: ImageName, tag: Tag) -> Served:
        """The image of that name, from the newest state of what the tag means if that can be had.

        Cancelling the wait, or the end of its time, leaves builds alone.
        """
        name = evolve(name, platform=name.platform or self._serving.platform)
        where, end = self._source.lasting(tag), self._newest.end()
        if where is None or self._serving.policy is Policy.NEVER:
            image, _ = await self._newest.image(name, tag, end)
            return Served(image.record)
        wanted = Wanted(where + self._serving.settings, tag, name)
        try:
            if self._serving.policy is Policy.REVALIDATE:
                return await self._revalidation.image(wanted)
            return Served(await self._patience.image(wanted, end))
        except NO_VERDICT as error:
            return await self._earlier.instead(wanted, error, end)

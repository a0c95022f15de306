"""Any source's folder taken as a flake: expressions/package-set.nix then asks it for legacyPackages, else packages."""

from collections.abc import Collection

from attrs import evolve

from nixery.errors import ManifestUnknown
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources import origins
from nixery.sources.interfaces import Origin, Source
from nixery.sources.origins import AS_FLAKE

_ARGUMENT = ("flake", "yes")


class AsFlake:
    """See Source. The same content is another package set when it is read as a flake, so its pins differ."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def pin(self, tag: Tag) -> PinnedSource:
        """See Source."""
        return _as_flake(await self._source.pin(tag))

    def current(self, tag: Tag) -> PinnedSource | None:
        """See Source."""
        pinned = self._source.current(tag)
        return None if pinned is None else _as_flake(pinned)

    async def again(self, pin: str) -> PinnedSource:
        """See Source; raises ManifestUnknown too for a pin that was no flake's."""
        if not pin.endswith(AS_FLAKE):
            raise ManifestUnknown("this image was made when NIXERY_FLAKE was not set; pull it by its tag")
        return _as_flake(await self._source.again(pin.removesuffix(AS_FLAKE)))

    async def still(self, pinned: PinnedSource) -> bool:
        """See Source."""
        return await self._source.still(_as_it_was(pinned))

    async def renew(self, pinned: PinnedSource) -> bool:
        """See Source."""
        return await self._source.renew(_as_it_was(pinned))

    async def tags(self) -> Collection[str]:
        """See Source."""
        return await self._source.tags()

    @property
    def origin(self) -> Origin:
        """See Source."""
        return origins.as_flake(self._source.origin)

    def lasting(self, tag: Tag) -> bool:
        """See Source."""
        return self._source.lasting(tag)


def _as_flake(pinned: PinnedSource) -> PinnedSource:
    return evolve(pinned, pin=pinned.pin + AS_FLAKE, arguments=(*pinned.arguments, _ARGUMENT))


def _as_it_was(pinned: PinnedSource) -> PinnedSource:
    arguments = tuple(argument for argument in pinned.arguments if argument != _ARGUMENT)
    return evolve(pinned, pin=pinned.pin.removesuffix(AS_FLAKE), arguments=arguments)

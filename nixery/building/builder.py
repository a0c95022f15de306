"""From an image name to a stored image: the pipeline, top to bottom."""

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.building.cache import Cache
from nixery.building.layering import LAYOUT, Layers
from nixery.concurrency.coalescer import Coalescer, Hold
from nixery.errors import ManifestUnknown, NixeryError
from nixery.images.digest import Digest
from nixery.images.manifest import Format, ImageRecord
from nixery.images.name import ImageName, Platform, Tag
from nixery.images.recipe import Recipe
from nixery.images.source import PinnedSource
from nixery.nix.driver import Built
from nixery.packing.members import encoder_fingerprint
from nixery.sources.interfaces import Source


class Nix(Protocol):
    """See nixery.nix.driver.Nix."""

    async def build(self, source: PinnedSource, names: Sequence[str], system: str) -> Built:
        """Build what these names stand for."""


@frozen
class Settings:
    """How images are built.

    `expressions`: the hash of our own; `platform`: of names that leave it open; `max_builds`: at once; `hold`: seconds
    that a request waits.
    """

    expressions: str
    platform: Platform
    max_builds: int
    hold: float


class Builder(Service):
    """Answers with images: known ones from the cache, others from one build for however many ask."""

    _log = Logger()

    def __init__(
        self,
        source: Source,
        nix: Nix,
        layers: Layers,
        cache: Cache,
        clock: IReactorTime,
        settings: Settings,
    ) -> None:
        self._source = source
        self._nix = nix
        self._layers = layers
        self._cache = cache
        self._clock = clock
        self._settings = settings
        self._hold = Hold(settings.hold, clock)
        self._builds: Coalescer[str, ImageRecord] = Coalescer(settings.max_builds)

    def stopService(self) -> Deferred[None]:
        """Give up what is being built; fires when nothing is left of it."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._builds.close()
        await self._layers.close()

    async def by_tag(self, name: ImageName, tag: Tag) -> ImageRecord:
        """The image of that name. Cancelling the wait, or the end of its time, leaves the build alone."""
        pinned = await self._source.pin(tag)
        command = ("bash",) if name.shell else ()
        recipe = self._recipe(name.packages, name.platform or self._settings.platform, command, pinned)
        return await self._image(recipe, pinned)

    async def by_digest(self, digest: Digest) -> bytes:
        """A manifest's bytes: as stored, or made again by its recipe; raises ManifestUnknown."""
        manifest = await self._cache.manifest(digest)
        return await self._made_again(digest) if manifest is None else manifest

    async def _made_again(self, digest: Digest) -> bytes:
        recipe = await self._cache.recipe(digest)
        if recipe is None:
            raise ManifestUnknown(f"no manifest with the digest {digest} is known; pull the image by its tag")
        pinned = await self._source.pin(self._source.tag_of(recipe.pin))
        if recipe != self._recipe(recipe.packages, recipe.platform, recipe.command, pinned):
            raise ManifestUnknown(
                f"the manifest {digest} is no longer stored, and the package set or this registry's settings have "
                "changed since it was made; pull the image by its tag"
            )
        record = await self._image(recipe, pinned)
        for manifest in map(record.manifest, Format):
            if Digest.of(manifest) == digest:
                return manifest
        raise ManifestUnknown(
            f"the manifest {digest} was made again and came out different: a package does not build reproducibly; "
            "pull the image by its tag"
        )

    async def _image(self, recipe: Recipe, pinned: PinnedSource) -> ImageRecord:
        key = recipe.key()
        known = await self._cache.image(key)
        if known is not None:
            return known
        return await self._builds.join(key, lambda: self._build(recipe, pinned), self._hold)

    def _recipe(
        self, packages: tuple[str, ...], platform: Platform, command: tuple[str, ...], pinned: PinnedSource
    ) -> Recipe:
        return Recipe(
            kind=pinned.kind,
            pin=pinned.pin,
            expressions=self._settings.expressions,
            packages=packages,
            platform=platform,
            command=command,
            popularity=self._layers.popularity_hash,
            limit=self._layers.limit,
            layout=LAYOUT,
            encoder=encoder_fingerprint(),
        )

    async def _build(self, recipe: Recipe, pinned: PinnedSource) -> ImageRecord:
        """What the coalescer runs once for all who ask: everything from Nix to the records.

        A set that changed while it was evaluated may have given us a mixture: that is served and not remembered.
        """
        began = self._clock.seconds()
        packages = " ".join(recipe.packages)
        try:
            built = await self._nix.build(pinned, recipe.packages, recipe.platform.system)
            built_at = self._clock.seconds()
            record = await self._packed(recipe, built)
            if await self._source.still(pinned):
                await self._cache.remember(recipe, record)
        except NixeryError as error:
            self._log.warn("cannot build {packages}: {error}", packages=packages, error=error)
            raise
        self._log.info(
            "built {packages}: Nix {nix:.2f} s, packing {packing:.2f} s; {paths} paths, {layers} layers, {bytes} bytes",
            packages=packages,
            nix=built_at - began,
            packing=self._clock.seconds() - built_at,
            paths=len(built.closure),
            layers=len(record.layers),
            bytes=sum(layer.size for layer in record.layers),
        )
        return record

    async def _packed(self, recipe: Recipe, built: Built) -> ImageRecord:
        """The image of what was built, with all of its blobs stored; then Nix may collect what was built."""
        try:
            record = ImageRecord(recipe.platform, await self._layers.of(built), recipe.command)
            await self._cache.store(record)
        finally:
            built.release()
        return record

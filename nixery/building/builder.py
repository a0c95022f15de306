"""From an image name to a stored image: the pipeline, top to bottom."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, Protocol, TypeVar

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from nixery.building import facts
from nixery.building.cache import Cache
from nixery.building.layering import Layers
from nixery.building.leases import Leases
from nixery.building.recipes import Ground, Recipes
from nixery.concurrency.coalescer import Coalescer, Hold
from nixery.concurrency.settled import gathered
from nixery.concurrency.timeline import note
from nixery.errors import ManifestUnknown, NixeryError, StillFetching
from nixery.images.digest import Digest
from nixery.images.index import Rendered
from nixery.images.manifest import Format, ImageRecord
from nixery.images.name import ImageName, Platform
from nixery.images.popularity import Popularity
from nixery.images.recipe import Recipe
from nixery.images.source import PinnedSource
from nixery.nix.driver import Built
from nixery.sources.interfaces import Source

BUILT = "image recorded"
"""The last step of a build in a request's timeline."""

R = TypeVar("R", bound=Rendered, covariant=True)


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


@frozen
class Offer(Generic[R]):
    """What a name stands for, and its key: a BuildKey, or an index's."""

    key: str
    rendered: R


class Builder(Service):
    """Makes images: known ones come from the cache, others from one build for however many ask.

    `popularity`: gives what is known of it now, or None to count it from each image's graph.
    """

    _log = Logger()

    def __init__(
        self,
        source: Source,
        nix: Nix,
        layers: Layers,
        cache: Cache,
        popularity: Callable[[], Popularity | None],
        clock: IReactorTime,
        settings: Settings,
        leases: Leases,
    ) -> None:
        self._source = source
        self._nix = nix
        self._layers = layers
        self._cache = cache
        self._popularity = popularity
        self._clock = clock
        self._settings = settings
        self._recipes = Recipes(settings.expressions, settings.platform, layers)
        self._leases = leases
        self._builds: Coalescer[str, ImageRecord | None] = Coalescer(settings.max_builds)
        self._others: Coalescer[str, None] = Coalescer(None)

    def stopService(self) -> Deferred[None]:
        """Give up what is being built; fires when nothing is left of it."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await gathered([self._others.close(), self._builds.close()])
        await self._layers.close()
        await self._leases.close()

    async def image(self, name: ImageName, pinned: PinnedSource, hold: Hold | None) -> Offer[ImageRecord]:
        """The image of that name from this package set. Cancelling the wait, or its end, leaves the build alone."""
        note("pinned")
        ground = Ground(pinned, self._popularity())
        recipe = self._recipes.of(name, ground)
        return Offer(recipe.key(), await self._image(recipe, ground, hold))

    def key(self, name: ImageName, pinned: PinnedSource) -> str:
        """The BuildKey that the image of that name has now."""
        return self._recipes.of(name, Ground(pinned, self._popularity())).key()

    async def by_digest(self, digest: Digest) -> bytes:
        """A manifest's bytes: as stored, or made again by its recipe; raises ManifestUnknown."""
        manifest = await self._cache.manifest(digest)
        if manifest is not None:
            return manifest
        record = await self.again(digest)
        return next(again for again in map(record.manifest, Format) if Digest.of(again) == digest)

    async def again(self, digest: Digest) -> ImageRecord:
        """The image with this manifest, made again by its recipe where it is not stored; raises ManifestUnknown."""
        recipe = await self._cache.recipe(digest)
        if recipe is None:
            raise ManifestUnknown(f"no manifest with the digest {digest} is known; pull the image by its tag")
        ground = await self._ground(recipe)
        if ground is None or recipe != self._recipes.again(recipe, ground):
            raise ManifestUnknown(
                f"the manifest {digest} is no longer stored, and the package set or this registry's settings have "
                "changed since it was made; pull the image by its tag"
            )
        record = await self._image(recipe, ground, Hold(self._settings.hold, self._clock))
        if digest not in {Digest.of(record.manifest(format)) for format in Format}:
            raise ManifestUnknown(
                f"the manifest {digest} was made again and came out different: a package does not build reproducibly; "
                "pull the image by its tag"
            )
        return record

    async def _ground(self, recipe: Recipe) -> Ground | None:
        """What a recipe was made from, unless that is gone."""
        try:
            pinned = await had(self._source.again(recipe.pin), self._settings.hold, self._clock)
            return Ground(pinned, self._popularity())
        except ManifestUnknown:
            return None

    async def _image(self, recipe: Recipe, ground: Ground, hold: Hold | None) -> ImageRecord:
        """The image: known, built here, or built by another instance that shares the storage."""
        key = recipe.key()
        end = None if hold is None else self._clock.seconds() + hold.seconds
        while True:
            record = await self._cache.image(key)
            if record is None:
                record = await self._builds.join(key, lambda: self._in_turn(recipe, ground), self._until(end))
            if record is not None:
                return record
            # In none of our slots, which are for builds of our own.
            await self._others.join(key, lambda: self._leases.ended(key), self._until(end))

    def _until(self, end: float | None) -> Hold | None:
        """A wait that lasts until then."""
        return None if end is None else Hold(max(0.0, end - self._clock.seconds()), self._clock)

    async def _in_turn(self, recipe: Recipe, ground: Ground) -> ImageRecord | None:
        """What the coalescer runs once for all who ask; None while it is another instance's turn."""
        lease = await self._leases.take(recipe.key())
        if lease is None:
            return None
        note("lease taken")
        try:
            return await self._cache.image(recipe.key()) or await self._build(recipe, ground)
        finally:
            self._leases.give_back(lease)

    async def _build(self, recipe: Recipe, ground: Ground) -> ImageRecord:
        """Everything from Nix to the records.

        A set that changed while it was evaluated may have given us a mixture: that is served and not remembered.
        """
        began = self._clock.seconds()
        packages = " ".join(recipe.packages)
        try:
            self._layers.get_ready()
            built = await self._nix.build(ground.pinned, recipe.packages, recipe.platform.system)
            built_at = self._clock.seconds()
            record = await self._packed(recipe, built, ground.popularity)
            if await self._source.still(ground.pinned):
                await self._cache.remember(recipe, record)
            note(BUILT)
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

    async def _packed(self, recipe: Recipe, built: Built, popularity: Popularity | None) -> ImageRecord:
        """The image of what was built, with all of its blobs stored; then Nix may collect what was built."""
        try:
            layers = await self._layers.of(built, popularity)
            said = facts.annotations(recipe, built)
            record = ImageRecord(recipe.platform, layers, facts.settings(recipe, built), said)
            await self._cache.store(record)
            note("manifests stored")
        finally:
            built.release()
        return record


async def had(asked: Coroutine[Any, Any, PinnedSource], seconds: float, clock: IReactorTime) -> PinnedSource:
    """What a source is asked for; raises StillFetching after that many seconds."""
    try:
        return await Deferred.fromCoroutine(asked).addTimeout(seconds, clock)
    except TimeoutError:
        raise StillFetching(
            f"the package set was not there after {seconds:g} s; it goes on being fetched: pull again"
        ) from None

"""The layers of an image: planned, then packed side by side, each once however many images want it."""

from collections.abc import Awaitable, Callable

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore

from nixery.building.cache import Cache
from nixery.building.known_layers import KnownLayers
from nixery.building.transcoding import Transcoder
from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.pool import Pool
from nixery.concurrency.settled import gathered
from nixery.concurrency.timeline import note
from nixery.images import root
from nixery.images.layers import LayerContents, layer_key, plan
from nixery.images.manifest import Layer
from nixery.images.popularity import Popularity
from nixery.nix.driver import Built
from nixery.packing import tar, zstd
from nixery.packing.members import encoder_fingerprint
from nixery.packing.packer import Packer

LAYOUT = f"{tar.LAYOUT}.{root.LAYOUT}"
"""Stands for how store paths become layers; part of every recipe."""


@frozen
class _Planned:
    """A layer of store paths. `key`: what it is remembered under; `size`: bytes of its paths as Nix counts them."""

    contents: LayerContents
    key: str
    size: int

    @classmethod
    def of(cls, built: Built, contents: LayerContents) -> "_Planned":
        infos = [built.closure[path] for path in contents.paths]
        key = layer_key(infos, tar.LAYOUT, encoder_fingerprint())
        return cls(contents, key, sum(info.nar_size for info in infos))


class Layers:
    """Makes layers.

    `limit`: most layers of an image, the root's included; `transcoder`: makes zstd layers too, where there is one.
    """

    def __init__(
        self, packer: Packer, cache: Cache, cpu: Pool, limit: int, transcoder: Transcoder | None = None
    ) -> None:
        self._packer = packer
        self._cache = cache
        self._cpu = cpu
        self.limit = limit
        self._transcoder = transcoder
        self._packs: Coalescer[str, Layer] = Coalescer(None)
        self._looks = DeferredSemaphore(cache.abreast)  # of all images

    @property
    def encoder(self) -> str:
        """The fingerprint of what compresses layers; part of every recipe."""
        gzip = encoder_fingerprint()
        return gzip if self._transcoder is None else f"{gzip} zstd {zstd.encoder_fingerprint()}"

    def get_ready(self) -> None:
        """See Packer."""
        self._packer.get_ready()

    async def close(self) -> None:
        """Give up what is being packed; returns when nothing is left of it."""
        await self._packs.close()
        await self._packer.stop()
        if self._transcoder is not None:
            await self._transcoder.close()

    async def of(self, built: Built, popularity: Popularity | None) -> tuple[Layer, ...]:
        """All layers of an image, side by side; waits for all of them, also when one fails: they hold store paths.

        `popularity`: None to count it from the image's graph. The largest is begun first, so that none is left alone
        at the end.
        """
        planned = await self._cpu.run(self._planned, built, popularity)
        note("layers planned")
        known = KnownLayers(self._cache, self._looks)
        root = self._layer_of_root(built, known)
        largest_first = sorted(planned, key=lambda layer: -layer.size)
        begun = {layer.key: self._layer_of_paths(layer, known) for layer in largest_first}
        return tuple(await gathered([*(begun[layer.key] for layer in planned), root]))

    def _planned(self, built: Built, popularity: Popularity | None) -> list["_Planned"]:
        """All that takes long, so that the reactor does not wait for it."""
        return [_Planned.of(built, contents) for contents in self._plan(built, popularity)]

    def _plan(self, built: Built, popularity: Popularity | None) -> tuple[LayerContents, ...]:
        return plan(built.closure, popularity or Popularity.counted(built.closure), self.limit - 1)

    def _layer_of_paths(self, planned: "_Planned", known: KnownLayers) -> Deferred[Layer]:
        key, contents = planned.key, planned.contents
        return self._packs.join(
            key, lambda: self._layer(key, known, lambda: self._packer.paths(contents.paths, contents.comment))
        )

    def _layer_of_root(self, built: Built, known: KnownLayers) -> Deferred[Layer]:
        """The image root's layer: what it links to, and in which order, decides on it."""
        order = " ".join(map(str, built.outputs))
        key = layer_key(built.closure, f"{LAYOUT} root of {order}", encoder_fingerprint())
        return self._packs.join(
            key, lambda: self._layer(key, known, lambda: self._packer.root(built.outputs, "image root"))
        )

    async def _layer(self, key: str, known: KnownLayers, pack: Callable[[], Awaitable[Layer]]) -> Layer:
        layer = await known.layer(key)
        if layer is None:
            layer = await pack()
            await self._cache.remember_layer(key, layer)
        note("layers stored")
        return layer if self._transcoder is None else evolve(layer, zstd=await self._transcoder.of(layer))

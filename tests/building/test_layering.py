"""Layers with stand-ins for Nix and for who packs."""

import hashlib
from collections.abc import Sequence

import pytest
from twisted.internet.defer import Deferred

from nixery.building.cache import Cache
from nixery.building.layering import Layers
from nixery.concurrency.pool import Inline
from nixery.images.digest import DiffID, Digest
from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.layers import LayerContents
from nixery.images.manifest import Layer
from nixery.nix.driver import Built
from nixery.nix.report import Package
from nixery.packing.packer import Packer
from nixery.storage.memory import MemoryStorage


class Watched(Packer):
    """Packs nothing, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(Inline(), MemoryStorage())
        self.asked: list[str] = []

    async def paths(self, paths: Sequence[StorePath], comment: str) -> Layer:
        self.asked.append(comment)
        return layer(comment)

    async def root(self, packages: Sequence[StorePath], comment: str) -> Layer:
        self.asked.append(comment)
        return layer(comment)


def layer(comment: str) -> Layer:
    return Layer(DiffID.of(comment.encode()), Digest.of(comment.encode()), 1, comment)


def built(sizes: dict[str, int]) -> Built:
    paths = {name: StorePath.parse(f"/store/{'0' * 32}-{name}") for name in sizes}
    infos = [PathInfo(paths[name], hashlib.sha256().hexdigest(), size, ()) for name, size in sizes.items()]
    packages = [Package(name, name, (path,), None, None, ()) for name, path in paths.items()]
    return Built(tuple(packages), Closure.of(infos), "/nowhere")


@pytest.mark.parametrize("sizes", [{"a": 1, "b": 3, "c": 2}, {"a": 3, "b": 1, "c": 2}])
def test_the_largest_layer_is_begun_first_and_the_order_in_the_image_is_the_plans(
    sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = tuple(LayerContents((info.path,)) for info in built(sizes).closure)
    monkeypatch.setattr("nixery.building.layering.plan", lambda *_: planned)
    packer = Watched()
    layers = Layers(packer, Cache(MemoryStorage()), Inline(), 94)
    made: list[tuple[Layer, ...]] = []
    Deferred.fromCoroutine(layers.of(built(sizes), None)).addCallback(made.append)
    assert packer.asked == ["image root", *sorted(sizes, key=lambda name: -sizes[name])]
    assert [layer.comment for layer in made[0]] == [*sizes, "image root"]

"""Layers with stand-ins for Nix and for who packs."""

import hashlib
from collections.abc import Sequence

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from nixery.building.cache import Cache
from nixery.building.layering import Layers
from nixery.concurrency.pool import Inline
from nixery.errors import StorageUnavailable
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


class Held(Cache):
    """Knows of no layer, and says so when it is told to. `abreast`: see IStorage."""

    def __init__(self, abreast: int) -> None:
        storage = MemoryStorage()
        storage.abreast = abreast
        super().__init__(storage)
        self.asked: list[Deferred[None]] = []

    async def layer(self, key: str) -> Layer | None:
        asked: Deferred[None] = Deferred()
        self.asked.append(asked)
        await asked
        return None


def begun(monkeypatch: pytest.MonkeyPatch, held: Held, count: int) -> Deferred[tuple[Layer, ...]]:
    """The layers of an image of so many packages, and of its root, asked for."""
    image = built({f"p{number}": number + 1 for number in range(count)})
    planned = tuple(LayerContents((info.path,)) for info in image.closure)
    monkeypatch.setattr("nixery.building.layering.plan", lambda *_: planned)
    layers = Layers(Watched(), held, Inline(), count + 1)
    return Deferred.fromCoroutine(layers.of(image, None))


@pytest.mark.parametrize("abreast", [1, 8])
def test_as_many_layers_are_looked_up_at_a_time_as_the_storage_takes(
    abreast: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(abreast)
    made = begun(monkeypatch, held, 19)
    for seen in range(abreast, 20):
        assert len(held.asked) == seen
        held.asked[seen - abreast].callback(None)
    for asked in held.asked[-abreast:]:
        asked.callback(None)
    results: list[tuple[Layer, ...]] = []
    made.addCallback(results.append)
    assert len(results[0]) == 20


def test_once_a_look_fails_those_that_wait_fail_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(8)
    made = begun(monkeypatch, held, 600)  # many, as none of them may call the next
    failures: list[Failure] = []
    made.addErrback(failures.append)
    for asked in held.asked[:8]:
        asked.errback(StorageUnavailable("away"))
    assert [str(failure.value) for failure in failures] == ["away"]
    assert len(held.asked) == 8


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

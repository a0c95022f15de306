"""Pulls replayed: how many bytes travel when clients keep every layer that they have had."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from attrs import frozen

from benchmarks.layering.packages import Packages
from benchmarks.layering.store import Asked, Store
from benchmarks.layering.workload import Workload
from nixery.images.layers import LayerContents

Strategy = Callable[[Asked, int], Sequence[LayerContents]]
"""Plans an image, with at most that many layers."""


@frozen
class Transferred:
    """Bytes: `sent` by the layers, and `least`, had each store path travelled once to each client that needs it."""

    sent: int
    least: int

    @property
    def above(self) -> int:
        """Bytes sent that the client had already, or never asked for."""
        return self.sent - self.least

    def __add__(self, other: "Transferred") -> "Transferred":
        return Transferred(self.sent + other.sent, self.least + other.least)


class WrongPlan(Exception):
    """A plan that leaves out a path, has one twice, or has too many layers."""


class Replay:
    """A workload's pulls, with the images as they are at each step, which all strategies plan."""

    def __init__(self, packages: Packages, workload: Workload) -> None:
        stores = [Store(packages, versions) for versions in workload.versions]
        self._pulls = workload.pulls
        self._images = {(pull.step, pull.image): stores[pull.step].image(pull.image) for pull in workload.pulls}

    def of(self, strategy: Strategy, limit: int) -> Transferred:
        """What the pulls transfer. Raises WrongPlan."""
        plans = {when: _layers(asked, strategy(asked, limit), limit) for when, asked in self._images.items()}
        layers_of: dict[int, set[tuple[str, ...]]] = defaultdict(set)
        paths_of: dict[int, set[str]] = defaultdict(set)
        sent = least = 0
        for pull in self._pulls:
            layers, paths = layers_of[pull.client], paths_of[pull.client]
            for layer, sizes in plans[pull.step, pull.image].items():
                if layer not in layers:
                    sent += sum(sizes.values())
                    least += sum(size for path, size in sizes.items() if path not in paths)
                    layers.add(layer)
                    paths.update(sizes)
        return Transferred(sent, least)


def _layers(asked: Asked, plan: Sequence[LayerContents], limit: int) -> dict[tuple[str, ...], dict[str, int]]:
    """Each layer's paths with their sizes."""
    paths = [path for layer in plan for path in layer.paths]
    if len(plan) > limit or len(paths) != len(asked.closure) or set(paths) != set(asked.closure.paths):
        raise WrongPlan(f"{len(plan)} layers with {len(paths)} paths for {len(asked.closure)} paths")
    return {
        tuple(path.text for path in layer.paths): {path.text: asked.closure[path].nar_size for path in layer.paths}
        for layer in plan
    }

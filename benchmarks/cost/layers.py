"""Layers of an image: the cold pull of the same store paths in at most N layers, and the manifest afterwards."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.cost.asking import spent
from benchmarks.cost.growth import Curve, curves
from benchmarks.cost.pulling import made, pulled

PATHS = 300
TIMES = 300
"""That the manifest is asked for."""


def measured(folder: Path, numbers: Sequence[int], rounds: int) -> list[Curve]:
    """CPU seconds, those of packing processes too. `folder`: an empty one. Raises WrongResult."""
    return curves(numbers, rounds, partial(_cost, made(folder, [PATHS])))


def _cost(graphs: Path, number: int) -> Mapping[str, float]:
    with pulled(graphs, PATHS, limit=number) as image:
        warm = spent(image.pid, lambda: image.ask("latest", TIMES))
        return {"cold pull": image.cold, "known manifest": warm / TIMES}

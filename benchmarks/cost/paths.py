"""Paths in an image: the cold pull of N tiny ones, from Nix's end to the manifest, and the layer plan alone."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.cost.growth import Curve, curves
from benchmarks.cost.pulling import closure_in, made, pulled
from benchmarks.packing import planned


def measured(folder: Path, numbers: Sequence[int], rounds: int) -> list[Curve]:
    """CPU seconds, those of packing processes too. `folder`: an empty one. Raises WrongResult."""
    return curves(numbers, rounds, partial(_cost, made(folder, numbers)))


def _cost(graphs: Path, number: int) -> Mapping[str, float]:
    closure = closure_in(graphs, number)
    before = time.process_time()
    planned(closure)
    plan = time.process_time() - before
    with pulled(graphs, number) as image:
        return {"cold pull": image.cold, "layer plan alone": plan}

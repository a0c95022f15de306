"""Requests: a known manifest is asked for N times over kept connections.

All Ns are asked of one daemon, one after the other, so that whatever it keeps of each request is there for the next.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.cost.asking import spent
from benchmarks.cost.growth import Curve, curves
from benchmarks.cost.pulling import Pulled, made, pulled

CONNECTIONS = 8
PATHS = 20


def measured(folder: Path, numbers: Sequence[int], rounds: int) -> list[Curve]:
    """CPU seconds of all requests together. `folder`: an empty one. Raises WrongResult."""
    with pulled(made(folder, [PATHS]), PATHS, CONNECTIONS) as image:
        return curves(numbers, rounds, partial(_cost, image))


def _cost(image: Pulled, number: int) -> Mapping[str, float]:
    return {
        "manifests by tag": spent(image.pid, lambda: image.ask("latest", number)),
        "manifests by digest": spent(image.pid, lambda: image.ask(image.digest, number)),
    }

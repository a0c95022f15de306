"""A package set that is made up: for the short form of the study, which needs no lists of apt."""

import random

from benchmarks.layering.images import BASE, EXTRAS, MAINS
from benchmarks.layering.packages import Package, Packages
from benchmarks.layering.workload import Shape

SHAPE = Shape(clients=4, steps=4)
"""Few pulls, so that they are soon replayed."""

_LIBRARIES = 900
_SOURCES = 500


def packages() -> Packages:
    """Libraries that build on one another, and the programs of the study's images. Always the same."""
    chance = random.Random("nixery made up")
    names = [f"lib{number}" for number in range(_LIBRARIES)]
    depends = {name: _some(chance, names[:number], 4) for number, name in enumerate(names)}
    depends |= {name: _some(chance, names, 200) for name in MAINS}
    depends |= {name: _some(chance, names, 4) for name in (*BASE, *EXTRAS)}
    return Packages.of(
        Package(
            name=name,
            version="1",
            size=int(chance.lognormvariate(12.5, 2)) + 1000,
            source=f"source{chance.randrange(_SOURCES)}",
            depends=needed,
            uses=sum(name in others for others in depends.values()) * 4,
        )
        for name, needed in depends.items()
    )


def _some(chance: random.Random, names: list[str], most: int) -> tuple[str, ...]:
    """Names by Zipf's law."""
    if not names:
        return ()
    weights = [1 / (number + 50) for number in range(len(names))]
    return tuple(sorted(set(chance.choices(names, weights, k=chance.randint(most // 2, most)))))

"""The workload: who pulls which image when, while versions move on. Fixed before any strategy was tried."""

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate

from attrs import frozen

from benchmarks.layering.images import BASE, EXTRAS, MAINS
from benchmarks.layering.packages import Packages


@frozen
class Shape:
    """What a workload is like.

    `clients`, each with `habits` images (from one number to another) that it pulls again and again; `steps`: points in
    time, at each of which a client pulls an image, and another one with the chance `again`; `curious`: the chance that
    it is none of its habits; `second`: the chance that an image has two main packages; `extras`: most of them in an
    image; `share`: of the sources that have a new version from one step to the next; `restless`: how unlike sources
    are in that (sigma of a lognormal distribution).
    """

    clients: int = 16
    habits: tuple[int, int] = (2, 4)
    steps: int = 10
    again: float = 0.5
    curious: float = 0.2
    second: float = 0.25
    extras: int = 3
    share: float = 0.01
    restless: float = 1.0


MIXED = Shape()
"""The shape by which strategies are judged."""

STILL = Shape(share=0.0, curious=0.5)
"""Nothing changes: what counts is what different images share."""

MOVING = Shape(habits=(1, 1), curious=0.0, second=0.0)
"""A client pulls one image again and again: what counts is what changes together."""

CALM = Shape(share=0.002)
"""As MIXED, with few new versions: a stable release with its security updates."""

SHAPES = {"mixed": MIXED, "still": STILL, "moving": MOVING, "calm": CALM}

TRIED_ON = (1, 2)
"""Seeds that strategies may be tried and tuned on."""

JUDGED_ON = (11, 12, 13, 14)
"""Seeds that the published figures are of."""

Image = tuple[str, ...]
"""Names of packages, sorted."""


@frozen
class Pull:
    """A client pulls an image as it is at a step."""

    step: int
    client: int
    image: Image


@frozen
class Workload:
    """Pulls in their order; `versions[step]` says how often each source has had a new version by then."""

    pulls: tuple[Pull, ...]
    versions: tuple[dict[str, int], ...]


def wanted(packages: Packages) -> Packages:
    """The part of a package set that the study's images are made of. Raises KeyError for a name that it has not."""
    return packages.part((*MAINS, *BASE, *EXTRAS))


def workload(packages: Packages, shape: Shape, seed: int) -> Workload:
    """The same for the same packages, shape and seed."""
    chance = random.Random(f"nixery layering {seed}")
    users = _Users(shape, chance)
    habits = [[users.image() for _ in range(chance.randint(*shape.habits))] for _ in range(shape.clients)]
    pulls = tuple(_pulls(users, habits))
    return Workload(pulls, tuple(_versions(packages, shape, chance)))


class _Users:
    """Draws images: main packages by Zipf's law, and extras."""

    def __init__(self, shape: Shape, chance: random.Random) -> None:
        self.shape = shape
        self.chance = chance
        self._weights = [*accumulate(1 / (rank + 1) for rank in range(len(MAINS)))]

    def image(self) -> Image:
        """An image that somebody asks for."""
        wanted = 2 if self.chance.random() < self.shape.second else 1
        names = {*BASE, *self.chance.choices(MAINS, cum_weights=self._weights, k=wanted)}
        names.update(self.chance.sample(EXTRAS, self.chance.randint(0, self.shape.extras)))
        return tuple(sorted(names))


def _pulls(users: _Users, habits: Sequence[Sequence[Image]]) -> Iterator[Pull]:
    chance, shape = users.chance, users.shape
    for step in range(shape.steps):
        for client in range(shape.clients):
            for _ in range(2 if chance.random() < shape.again else 1):
                curious = chance.random() < shape.curious
                yield Pull(step, client, users.image() if curious else chance.choice(habits[client]))


def _versions(packages: Packages, shape: Shape, chance: random.Random) -> Iterator[dict[str, int]]:
    sources = sorted({package.source for package in packages.by_name.values()})
    mean = shape.restless**2 / 2
    rates = {source: shape.share * chance.lognormvariate(-mean, shape.restless) for source in sources}
    versions = dict.fromkeys(sources, 0)
    for _ in range(shape.steps):
        yield dict(versions)
        for source in sources:
            versions[source] += chance.random() < rates[source]

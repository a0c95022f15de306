"""How a cost grows with N, beside n log n."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import linear_regression

from attrs import frozen

NOISE = 0.2
"""Of the first cost: what a cost differs by less than this is the machine's doing."""

Point = tuple[int, float]
"""N, and what it costs."""


@frozen
class Curve:
    """What `name` costs, in CPU seconds, at three or more Ns that go up."""

    name: str
    points: tuple[Point, ...]

    @property
    def growth(self) -> float:
        """The exponent with which it grows; 0 for what does not."""
        return growth(self.points)

    @property
    def n_log_n(self) -> float:
        """The exponent that n log n has at the same Ns."""
        return growth([(n, n * math.log(n)) for n, _ in self.points])


def growth(points: Sequence[Point]) -> float:
    """The k of a cost that is a constant and something times N^k.

    The slope of a line, by least squares, through the upper half of the points on logarithmic axes. The first point is
    taken off the others: its N and its cost. So a constant does not hide what grows above it, and what is linear has
    the slope 1 exactly. Two ends alone would hang on two measurements, and to fit the constant too takes more points. A
    rise within the noise counts as the noise, so that a cost which stays as it is has the slope 0; of several such
    points the last one counts, as nobody can see what grows before.
    """
    (least, constant), *_ = points
    noise = NOISE * constant
    rises = [(n - least, max(cost - constant, noise)) for n, cost in points[len(points) // 2 :]]
    while len(rises) > 2 and rises[1][1] == noise:
        del rises[0]
    return linear_regression([math.log(n) for n, _ in rises], [math.log(rise) for _, rise in rises]).slope


def curves(numbers: Sequence[int], rounds: int, cost: Callable[[int], Mapping[str, float]]) -> list[Curve]:
    """What is measured under each name at each N: the least of so many rounds."""
    least: dict[str, dict[int, float]] = {}
    for number in numbers:
        for _ in range(rounds):
            for name, seconds in cost(number).items():
                costs = least.setdefault(name, {})
                costs[number] = min(seconds, costs.get(number, seconds))
    return [Curve(name, tuple(costs.items())) for name, costs in least.items()]

"""What N costs the daemon, in CPU seconds: N requests, images stored, paths in an image, layers of an image.

    python -m benchmarks.cost [--short] [--rows FILE] [--picture FILE]

Needs no Nix. The daemon is whole, with a folder as its storage, and a Nix that has little to do
(benchmarks/packing_daemon.py). What is measured at each N is in requests.py, images.py, paths.py and layers.py; of
three rounds the least counts. Against n log n: a cost grows as fast as N to the exponent that growth.py fits, which is
at most 1.25 times that of n log n at the same Ns. The floor is a cost that stays as it is.

A wrong answer ends this with an error, and no time does.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.cost import images, layers, paths, requests
from benchmarks.cost.growth import Curve
from benchmarks.plots import curves
from benchmarks.report import Row, arguments, at_most, hand_over

ROUNDS = 3
MOST = 1.25


@frozen
class Subject:
    """What N is of. `measured`: see the modules; `short`: Ns of a run of seconds."""

    measured: Callable[[Path, Sequence[int], int], list[Curve]]
    numbers: tuple[int, ...]
    short: tuple[int, ...]


SUBJECTS: Mapping[str, Subject] = {
    "requests": Subject(requests.measured, (10, 30, 100, 300, 1000, 3000, 10_000), (10, 30, 100)),
    "images stored": Subject(images.measured, (10, 30, 100, 300, 1000, 3000, 10_000), (10, 30, 100)),
    "paths in an image": Subject(paths.measured, (30, 100, 300, 1000, 3000), (10, 30, 100)),
    "layers of an image": Subject(layers.measured, (8, 16, 32, 48, 64, 94, 125), (8, 16, 32)),
}


def measured(subject: Subject, short: bool) -> list[Curve]:
    """Its curves; raises WrongResult."""
    numbers, rounds = (subject.short, 1) if short else (subject.numbers, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        return subject.measured(Path(folder), numbers, rounds)


def table(curve: Curve) -> str:
    """What it costs at each N, and how that grows."""
    lines = [f"  {n:7,} {seconds(cost):>10} {seconds(cost / n):>12}" for n, cost in curve.points]
    worse = "; WORSE than n log n" if curve.growth > MOST * curve.n_log_n else ""
    grows = f"  grows as N^{curve.growth:.2f}, n log n as N^{curve.n_log_n:.2f}{worse}"
    return "\n".join([f"{curve.name}\n        N       cost    by each N", *lines, grows])


def seconds(cost: float) -> str:
    """In the unit that suits it."""
    scale, unit = next((pair for pair in ((1, "s"), (1e3, "ms")) if cost * pair[0] >= 1), (1e6, "us"))
    return f"{cost * scale:.3g} {unit}"


def main(words: Sequence[str]) -> None:
    """As the module says."""
    parser = arguments(__doc__)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="where the curves are drawn, an SVG")
    options = parser.parse_args(words)
    found: dict[str, list[Curve]] = {}
    for name, subject in SUBJECTS.items():
        found[name] = measured(subject, options.short)
        print(f"-- {name} --", *map(table, found[name]), sep="\n", flush=True)
    rows = [
        Row(f"{name}: {curve.name}", "exponent of N", curve.growth, curve.n_log_n, at_most(MOST))
        for name in found
        for curve in found[name]
    ]
    hand_over(rows, options.rows)
    if options.picture:
        panels = {
            f"CPU, by the number of {name}": {curve.name: curve.points for curve in found[name]} for name in found
        }
        options.picture.write_text(curves(panels))


if __name__ == "__main__":
    main(sys.argv[1:])

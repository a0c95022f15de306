"""How many bytes pulls transfer above the least that they could, by strategy: a table, and a plot.

    python -m benchmarks.layering                    the whole study: apt's lists of bookworm, some minutes
    python -m benchmarks.layering --plot FILE.svg    ... and draws it
    python -m benchmarks.layering --short            a small set that is made up, a few seconds
    python -m benchmarks.layering --rows FILE        ... and writes its figures

Ends with status 1 when a plan is wrong, or ours does not save what it must against Go Nixery's. Nothing depends on
time, so two runs with the same lists print the same. See docs/layering.md.
"""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from operator import add
from pathlib import Path

from benchmarks.layering import debian, made_up
from benchmarks.layering.packages import Packages
from benchmarks.layering.replay import Replay, Transferred
from benchmarks.layering.strategies import GO, OURS, STRATEGIES
from benchmarks.layering.workload import JUDGED_ON, SHAPES, Shape, wanted, workload
from benchmarks.plots import bars
from benchmarks.report import Row, arguments, at_most, hand_over

LIMIT = 94 - 1
"""NIXERY_MAX_LAYERS, less the image root's layer."""

MUST_SAVE = 0.2
"""Of the bytes above the least, in the shape `mixed`."""

_GB = 1e9


Found = dict[str, Transferred]
"""By strategy."""


def _replayed(packages: Packages, shape: Shape, seed: int) -> Found:
    pulls = Replay(packages, workload(packages, shape, seed))
    return {name: pulls.of(strategy, LIMIT) for name, strategy in STRATEGIES.items()}


def measured(packages: Packages, shapes: Mapping[str, Shape], seeds: Sequence[int]) -> dict[str, Found]:
    """By shape, the sum over the seeds. Raises WrongPlan."""
    with ProcessPoolExecutor() as processes:
        tasks = {
            name: [processes.submit(_replayed, packages, shape, seed) for seed in seeds]
            for name, shape in shapes.items()
        }
        return {name: _sum([task.result() for task in tasks[name]]) for name in shapes}


def _sum(seeds: Sequence[Found]) -> Found:
    return {name: reduce(add, (found[name] for found in seeds)) for name in STRATEGIES}


def table(found: Mapping[str, Found]) -> str:
    """In Markdown: GB above the least, and how that compares with Go Nixery's."""
    rows = [["GB above the least", *found], ["---", *("---" for _ in found)]]
    rows.append(["the least", *(f"{_least(by) / _GB:.1f}" for by in found.values())])
    for name in STRATEGIES:
        rows.append([name, *(f"{by[name].above / _GB:.1f} ({_against_go(by, name):+.0%})" for by in found.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _least(by: Found) -> int:
    (least,) = {transferred.least for transferred in by.values()}
    return least


def _against_go(by: Found, name: str) -> float:
    return by[name].above / by[GO].above - 1


def main(words: Sequence[str]) -> int:
    """As the module says."""
    parser = arguments(__doc__)
    parser.add_argument("--plot", type=Path, help="where the plot goes, an SVG")
    options = parser.parse_args(words)
    packages = wanted(made_up.packages() if options.short else debian.read())
    print(f"{len(packages.by_name)} packages {packages.fingerprint()}", flush=True)
    shapes, seeds = ({"mixed": made_up.SHAPE}, JUDGED_ON[:1]) if options.short else (SHAPES, JUDGED_ON)
    found = measured(packages, shapes, seeds)
    print(table(found))
    rows = [(name, by[OURS].above / _GB, by[GO].above / _GB) for name, by in found.items()]
    targets = {"mixed": at_most(1 - MUST_SAVE)}
    hand_over([Row(f"{n}, above the least", "GB", us, go, targets.get(n), GO) for n, us, go in rows], options.rows)
    if options.plot:
        options.plot.write_text(bars({name: by.above / _GB for name, by in found["mixed"].items()}))
    return int(_against_go(found["mixed"], OURS) > -MUST_SAVE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

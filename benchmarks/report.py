"""What benchmarks find: figures beside a peer's and beside targets, handed over as JSON and shown as one table.

Every benchmark is called alike: `python -m benchmarks.NAME [--short] [--rows FILE] ...`. Its short form goes through
every step with the smallest sizes and counts. A wrong result raises WrongResult, in either form; no time does.
"""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from attrs import asdict, frozen

COLUMNS = ("benchmark", "measured", "ours", "the other's", "ratio", "target", "")


class WrongResult(Exception):
    """What was measured did not do what it should have."""


@frozen
class Target:
    """A bound on the ratio to the other's figure, or on ours where there is no other."""

    bound: Literal["at least", "at most"]
    figure: float

    def __str__(self) -> str:
        return f"{self.bound} {self.figure:g}"

    def met(self, figure: float) -> bool:
        return figure >= self.figure if self.bound == "at least" else figure <= self.figure


@frozen
class Row:
    """A figure, in some unit, and that of what it is compared with: `against`. Without a target it is only recorded."""

    measured: str
    unit: str
    ours: float
    other: float | None = None
    target: Target | None = None
    against: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours by the other's."""
        return None if self.other is None else self.ours / self.other

    @property
    def met(self) -> bool | None:
        """None without a target."""
        judged = self.ours if self.ratio is None else self.ratio
        return None if self.target is None else self.target.met(judged)


def at_least(figure: float) -> Target:
    return Target("at least", figure)


def at_most(figure: float) -> Target:
    return Target("at most", figure)


def arguments(doc: str | None) -> ArgumentParser:
    """A benchmark's command line; `doc`: what its module says of it."""
    parser = ArgumentParser(description=doc, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="every step once, with the smallest sizes")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="where the figures go, as JSON")
    return parser


def hand_over(rows: Sequence[Row], file: Path | None) -> None:
    """Write them to a file, if there is one."""
    if file is not None:
        file.write_text(json.dumps([asdict(row) for row in rows]))


def handed_over(file: Path) -> list[Row]:
    """What hand_over has written."""
    parsed = json.loads(file.read_text())
    return [Row(**{**row, "target": row["target"] and Target(**row["target"])}) for row in parsed]


def table(found: Mapping[str, Sequence[Row]]) -> str:
    """By benchmark, in columns."""
    lines = [COLUMNS, *(_cells(name, row) for name, rows in found.items() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cells(name: str, row: Row) -> tuple[str, ...]:
    figures = [
        f"{figure:{',.0f' if figure >= 1000 else '.4g'}} {row.unit} {whose}".rstrip() if figure is not None else ""
        for figure, whose in ((row.ours, ""), (row.other, row.against))
    ]
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    met = {None: "", True: "met", False: "NOT met"}[row.met]
    return name, row.measured, *figures, ratio, "" if row.target is None else str(row.target), met

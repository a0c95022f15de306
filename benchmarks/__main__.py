"""All benchmarks, one after the other, and at the end one table of what they found.

    python -m benchmarks [--short] [--pictures FOLDER] [NAME...]

Each runs in a process of its own. What it measures, against what, and what the floor is, it says at its top, and when
asked for --help. Targets are on the ratio to the other's figure, or on ours where there is no other. Pictures are
FOLDER/NAME.svg: what a benchmark draws itself, or else its ratios.

The status is 1 when a result is wrong; no time does that. What lacks a tool is skipped; in CI that is an error too. The
short form goes through every step in sizes that say nothing of speed, so that its table has no targets.
"""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

from benchmarks.daemons import ROOT, program
from benchmarks.layering.debian import SUITE
from benchmarks.plots import bars
from benchmarks.report import Row, handed_over, table
from nixery.debian.apt import Apt
from nixery.errors import SourceUnavailable


@frozen
class Benchmark:
    """What it needs, and the option by which it draws a picture itself."""

    programs: tuple[str, ...] = ()
    lists: bool = False
    picture: str = ""

    def lacking(self, short: bool) -> list[str]:
        """What it needs and this machine has not. The short form needs no lists."""
        lacking = [name for name in self.programs if program(name) is None]
        return [*lacking, f"apt's lists of {SUITE}"] if self.lists and not short and not _has_lists() else lacking


BENCHMARKS: Mapping[str, Benchmark] = {
    "packing": Benchmark(("go",)),
    "cold": Benchmark(("nix-build", "nix-store"), picture="--picture"),
    "manifests": Benchmark(("go", "nix-build", "nix-store")),
    "blobs": Benchmark(("go", "nginx")),
    "layering": Benchmark(lists=True, picture="--plot"),
    "cost": Benchmark(picture="--picture"),
    "many_blobs": Benchmark(),
    "path_source": Benchmark(("nix-instantiate",)),
    "zstd": Benchmark(),
}


def _has_lists() -> bool:
    try:
        return any(target.suite == SUITE for target in Apt().targets("amd64"))
    except SourceUnavailable:
        return False


def run(name: str, short: bool, pictures: Path | None) -> list[Row] | None:
    """Its rows, without targets in the short form; None when it failed."""
    one = BENCHMARKS[name]
    drawn = pictures and pictures / f"{name}.svg"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows")
        options = ["--rows", str(file), *(["--short"] if short else [])]
        options += [one.picture, str(drawn)] if drawn and one.picture else []
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], cwd=ROOT).returncode:
            return None
        rows = handed_over(file)
    ratios = {row.measured: row.ratio * 100 for row in rows if row.ratio is not None}
    if drawn and ratios and not one.picture:
        drawn.write_text(bars(ratios, "% of the other's"))
    return [evolve(row, target=None) for row in rows] if short else rows


def parsed(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser("python -m benchmarks", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="every step once, with the smallest sizes")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="where pictures go")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}")
    options = parser.parse_args(words)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        options.pictures = options.pictures.resolve()
    return options


def main(words: Sequence[str]) -> int:
    """As the module says."""
    options = parsed(words)
    names = options.names or list(BENCHMARKS)
    skipped = {name: lacking for name in names if (lacking := BENCHMARKS[name].lacking(options.short))}
    ran = {name: run(name, options.short, options.pictures) for name in names if name not in skipped}
    print(table({name: rows for name, rows in ran.items() if rows}))
    for name, lacking in skipped.items():
        print(f"benchmarks.{name} is skipped: it needs {', '.join(lacking)}", file=sys.stderr)
    failed = [name for name, rows in ran.items() if rows is None]
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    return int(bool(failed or (skipped and os.environ.get("CI"))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the path source costs: the first pin, a pin when nothing was edited, a pin after an edit, and opening it in Nix.

    python -m benchmarks.path_source [--short] [--rows FILE] [FILES [FOLDERS]]    40,000 files in 2,000 folders

Needs Nix. The set is made in a temporary folder. All is done in one thread, so that figures are those of the work
alone. Nix's copies of the set stay in the store until it collects garbage. A set that was edited must get another pin,
and one that was not the same. The floor is no work at all: what a pin takes when nothing was edited is near it.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from benchmarks.daemons import NIX
from benchmarks.report import Row, arguments, hand_over
from benchmarks.results import expect
from nixery.concurrency.pool import Inline
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.nix.expressions import FOLDER
from nixery.sources.path import PathSource

EXPRESSION = str(FOLDER / "path.nix")
SETTLED = 2.5
"""Seconds after which a file's time is old enough to be relied on."""

FILES, FOLDERS, PINS = 40_000, 2_000, 10_000
EDITS = 5


def make(root: Path, files: int, folders: int) -> None:
    """A set of small files, spread over folders of three levels."""
    (root / "default.nix").write_text(f"{{ }} # {time.time_ns()}")  # so that the store has no copy yet
    for number in range(files):
        folder = number % folders
        where = root / f"{folder % 20}" / f"{folder % 400}" / f"{folder}"
        where.mkdir(parents=True, exist_ok=True)
        (where / f"{number}.nix").write_text(f'{{ }}: "{number}"\n' * 20)


def pinned(source: PathSource) -> PinnedSource:
    pins: list[PinnedSource] = []
    Deferred.fromCoroutine(source.pin(Tag("latest"))).addCallback(pins.append)
    return pins[0]


def pinning(source: PathSource, before: Callable[[int], object], times: int, pins: int) -> float:
    """The median seconds of a pin. Raises WrongResult when it was pinned as another number of contents."""
    taken, found = [], set()
    for turn in range(times):
        before(turn)
        began = time.perf_counter()
        pin = pinned(source)
        taken.append(time.perf_counter() - began)
        found.add(pin.pin)
    expect(len(found), pins, "pins")
    return statistics.median(taken)


def opening(pinned: PinnedSource) -> float:
    """Seconds that Nix takes to open the set: what an evaluation costs beside what it evaluates."""
    arguments = [word for name, value in pinned.arguments for word in ("--argstr", name, value)]
    began = time.perf_counter()
    command = ["nix-instantiate", "--eval", "--read-write-mode", pinned.expression, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"NIX_CONFIG": NIX})
    return time.perf_counter() - began


def measured(source: PathSource, root: Path, pins: int) -> list[Row]:
    """Each is done once, or so often that there is a median."""
    edited = root / "0" / "edited.nix"
    return [
        Row("first pin", "ms", pinning(source, lambda _: None, 1, 1) * 1e3),
        Row("nothing edited", "ms", pinning(source, lambda _: None, pins, 1) * 1e3),
        Row("a file edited", "ms", pinning(source, lambda turn: edited.write_text(str(turn)), EDITS, EDITS) * 1e3),
        Row("Nix copies it", "ms", opening(pinned(source)) * 1e3),
        Row("Nix has a copy", "ms", statistics.median(opening(pinned(source)) for _ in range(EDITS)) * 1e3),
    ]


def main(words: Sequence[str]) -> None:
    """As the module says."""
    parser = arguments(__doc__)
    parser.add_argument("files", nargs="?", type=int, default=FILES)
    parser.add_argument("folders", nargs="?", type=int, default=FOLDERS)
    options = parser.parse_args(words)
    files, folders, pins = (200, 20, 100) if options.short else (options.files, options.folders, PINS)
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), files, folders)
        time.sleep(SETTLED)
        source = PathSource(name, EXPRESSION, Inline(), Clock(), 2)
        rows = measured(source, Path(name), pins)
        source.stopService()
    print(f"{files} files in {folders} folders")
    for row in rows:
        print(f"{row.measured:14} {row.ours:9.4f} ms")
    hand_over(rows, options.rows)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What the path source costs: the first pin, a pin when nothing was edited, a pin after an edit, and opening it in Nix.

    python benchmarks/path_source.py [FILES [FOLDERS]]    40,000 files in 2,000 folders, unless told

The set is made in a temporary folder. All is done in one thread, so that figures are those of the work alone. Nix's
copies of the set stay in the store until it collects garbage.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.concurrency.pool import Inline
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.nix.expressions import FOLDER
from nixery.sources.path import PathSource

EXPRESSION = str(FOLDER / "path.nix")
SETTLED = 2.5
"""Seconds after which a file's time is old enough to be relied on."""


def make(root: Path, files: int, folders: int) -> None:
    """A set of small files, spread over folders of three levels."""
    (root / "default.nix").write_text(f"{{ }} # {time.time_ns()}")  # so that the store has no copy yet
    for number in range(files):
        folder = number % folders
        where = root / f"{folder % 20}" / f"{folder % 400}" / f"{folder}"
        where.mkdir(parents=True, exist_ok=True)
        (where / f"{number}.nix").write_text(f'{{ }}: "{number}"\n' * 20)


def seconds(source: PathSource, before: Callable[[int], object], times: int) -> float:
    """The median time of a pin."""
    taken = []
    for turn in range(times):
        before(turn)
        began = time.perf_counter()
        pinned = Deferred.fromCoroutine(source.pin(Tag("latest")))
        taken.append(time.perf_counter() - began)
        assert pinned.called
    return statistics.median(taken)


def opening(pinned: PinnedSource) -> float:
    """Seconds that Nix takes to open the set: what an evaluation costs beside what it evaluates."""
    arguments = [word for name, value in pinned.arguments for word in ("--argstr", name, value)]
    began = time.perf_counter()
    command = ["nix-instantiate", "--eval", "--read-write-mode", pinned.expression, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(arguments: list[str]) -> None:
    """As the module says."""
    files, folders = [*map(int, arguments), 40_000, 2_000][:2] if len(arguments) != 1 else [int(arguments[0]), 2_000]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make(root, files, folders)
        time.sleep(SETTLED)
        source = PathSource(name, EXPRESSION, Inline(), Clock(), 2)
        print(f"{files} files in {folders} folders")
        print(f"first pin      {seconds(source, lambda _: None, 1) * 1e3:9.1f} ms")
        print(f"nothing edited {seconds(source, lambda _: None, 10_000) * 1e6:9.1f} us (median)")
        edited = seconds(source, lambda turn: (root / "0" / "edited.nix").write_text(str(turn)), 5)
        print(f"a file edited  {edited * 1e3:9.1f} ms (median)")
        pins: list[PinnedSource] = []
        Deferred.fromCoroutine(source.pin(Tag("latest"))).addCallback(pins.append)
        (pinned,) = pins
        print(f"Nix copies it  {opening(pinned) * 1e3:9.1f} ms")
        print(f"Nix has a copy {statistics.median(opening(pinned) for _ in range(5)) * 1e3:9.1f} ms (median)")
        source.stopService()


if __name__ == "__main__":
    main(sys.argv[1:])

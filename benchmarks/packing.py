"""How fast an image is packed, beside what Go Nixery does: wall, CPU seconds, size, peak memory, and who waits for it.

    python -m benchmarks.packing [--short] [--rows FILE]    synthetic stores of 216 MB in 60 paths and 861 MB in 150
    python -m benchmarks.packing PATH...                    the closure of these paths of /nix/store
    ROUNDS=5 WORKERS=2 python -m benchmarks.packing ...

Needs Go. Ours is the whole daemon with an empty folder as storage, from Nix's end to the manifest, with a Nix that
only waits for a second (benchmarks/packing_daemon.py). Go's is benchmarks/go/pack.go: archive/tar, compress/gzip at
level 6 and two SHA-256, one layer after the other, with the same layers of the same files in the same run; it syncs
nothing and makes no image root. They take turns, and the best of each counts. Then our tars go through gzip -6. The
short form looks into all layers: what Go's have in them, ours must have.

Last, a manifest is asked for 500 times a second: while nothing else is done, and from Nix's end until the image is
packed. One pause of the host makes the p99 of a single packing, so that the answers of all rounds are taken together.

What is to be reached: 5 times Go's speed with a third of its CPU on two cores, at most 1.01 of the size of gzip -6,
100 MB while 861 MB are packed, and 3 times the idle p99. The floor is what libdeflate takes: most of our CPU seconds;
and of the p99, what a handler in Go has while processes of the same priority keep the cores busy.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.daemons import Daemon, daemon, server, watched
from benchmarks.peers import Answer, Waits, asked, built
from benchmarks.report import Row, arguments, at_least, at_most, hand_over
from benchmarks.results import contents, expect, layers_of
from benchmarks.stores import MB, TINY, USUAL, closure_of, files_of, found, grown
from nixery.images.graph import Closure
from nixery.images.layers import LayerContents, plan
from nixery.images.popularity import Popularity
from nixery.packing.worker import NICENESS

ROUNDS = int(os.environ.get("ROUNDS", "5"))
WORKERS = os.environ.get("WORKERS", "2")
SIZES = (USUAL, (861 * MB, 150))
PACE, IDLE_SECONDS = 500, 10.0
SHORT = ((2 * MB, 5),)
DONE = ("-m", "benchmarks.packing_daemon")

LIMIT = 94
"""The daemon's NIXERY_MAX_LAYERS, unless told."""


class Packed(NamedTuple):
    """Seconds, CPU seconds, compressed bytes, and the most memory in bytes."""

    wall: float
    cpu: float
    size: int
    memory: int = 0


def packing(graphs: Path, nix_seconds: int = 0, limit: int = LIMIT) -> AbstractContextManager[Daemon]:
    """A daemon with nothing in its storage, whose Nix only waits, and whose images have at most so many layers."""
    settings = {"GRAPHS": str(graphs), "NIX_SECONDS": str(nix_seconds), "NIXERY_PACK_WORKERS": WORKERS}
    return daemon(graphs.parent, "{ }: { }", DONE, **settings, NIXERY_MAX_LAYERS=str(limit))


def ours(graphs: Path, image: str) -> Packed:
    with packing(graphs, nix_seconds=1) as running, watched(running.pid) as seen:
        running.pull(image)
        ended, cpu = time.time(), running.cpu
        began, before = running.nix_ended
        size = sum(blob.st_size for blob in running.layers)
    return Packed(ended - began, cpu - before, size, max(seen))


def go(program: str, folder: Path, groups: str) -> Packed:
    with tempfile.TemporaryDirectory(dir=folder) as layers:
        words = subprocess.run([program, "pack", layers], input=groups, check=True, stdout=subprocess.PIPE, text=True)
    wall, cpu, size = words.stdout.split()
    return Packed(float(wall), float(cpu), int(size))


def by_gzip(graphs: Path, image: str) -> float:
    """How large our layers are, of what gzip -6 makes of the same tars."""
    command = 'for layer in *; do gzip -dcq "$layer" | gzip -6n; done | wc -c'
    with packing(graphs) as running:
        running.pull(image)
        layers = running.storage / "layers"
        for blob in layers.iterdir():
            if not blob.read_bytes().startswith(b"\x1f\x8b"):  # a manifest, or a configuration
                blob.unlink()
        zipped = subprocess.run(["sh", "-c", command], cwd=layers, check=True, stdout=subprocess.PIPE).stdout
        return sum(blob.st_size for blob in running.layers) / int(zipped)


def check(program: str, graphs: Path, image: str, closure: Closure) -> None:
    """Raises WrongResult when our layers have not in them what Go's have."""
    groups = grouped(closure)
    with tempfile.TemporaryDirectory(dir=graphs.parent) as folder, packing(graphs) as running:
        running.pull(image)
        layers = layers_of(running, image)
        expect(len(layers), len(groups.splitlines()) + 1, "layers")
        subprocess.run([program, "pack", folder], input=groups, check=True, stdout=subprocess.DEVNULL, text=True)
        packed, theirs = contents(layers), contents(Path(folder).iterdir())
        expect({name: packed.get(name) for name in theirs}, theirs, "contents")


def planned(closure: Closure, limit: int = LIMIT) -> tuple[LayerContents, ...]:
    """The layers of store paths, as the daemon plans them: one less than the limit, as the root is one too."""
    return plan(closure, Popularity.counted(closure), limit - 1)


def grouped(closure: Closure) -> str:
    """A line for each layer, with its store paths."""
    return "".join(" ".join(map(str, layer.paths)) + "\n" for layer in planned(closure))


def pack(program: str, graphs: Path, image: str, closure: Closure, times: int) -> list[Row]:
    """How ours and Go's packed an image."""
    groups = grouped(closure)
    files = files_of(closure)
    size, layers = sum(files) / MB, groups.count("\n") + 1
    print(f"{image}: {size:.0f} MB in {len(files)} files, {len(closure)} paths, {layers} layers")
    rounds = []
    for _ in range(times):
        us = ours(graphs, image)
        files_of(closure)
        rounds.append((us, go(program, graphs, groups)))
        files_of(closure)
    us, them = (
        Packed(min(one.wall for one in side), min(one.cpu for one in side), side[0].size, max(o.memory for o in side))
        for side in zip(*rounds, strict=True)
    )
    for name, packed in (("nixery", us), ("Go, serially", them)):
        speed = size / packed.wall
        print(f"  {name:14} {packed.wall:6.2f} s  {speed:6.1f} MB/s  {packed.cpu:6.2f} CPU s  {packed.size} bytes")
    zipped = by_gzip(graphs, image)
    print(
        f"  {them.wall / us.wall:.2f} times the speed, {them.cpu / us.cpu:.2f} times less CPU, "
        f"{zipped:.4f} of gzip -6 and {us.size / them.size:.4f} of Go's, peak {us.memory / MB:.1f} MB",
        flush=True,
    )
    return rows(image, size, us, them, zipped)


def rows(image: str, size: float, us: Packed, them: Packed, zipped: float) -> list[Row]:
    """`size`: of the image's files, in MB; `zipped`: what our layers are of what gzip -6 makes of them."""
    return [
        Row(f"{image} packed, wall", "MB/s", size / us.wall, size / them.wall, at_least(5), "Go"),
        Row(f"{image} packed, CPU", "MB/CPU s", size / us.cpu, size / them.cpu, at_least(3), "Go"),
        Row(f"{image}, size by gzip -6's", "", zipped, None, at_most(1.01)),
        Row(f"{image}, peak memory", "MB", us.memory / MB, None, at_most(100)),
    ]


def wait(program: str, graphs: Path, image: str, times: int, idle_seconds: float) -> Row:
    """How long a known manifest takes, while nothing else is done and from Nix's end until an image is packed."""
    idle: list[Answer] = []
    busy: list[Answer] = []
    for _ in range(times):
        with packing(graphs, nix_seconds=1) as running:
            running.pull("small")
            address = running.address("small")
            idle += asked(program, address, PACE, lambda: time.sleep(idle_seconds))
            answers = asked(program, address, PACE, lambda: running.pull(image))
            began, _ = running.nix_ended
            busy += [answer for answer in answers if answer.due > began]
    alone, beside = compared("manifests", idle, f"while {image} is packed", busy)
    return Row(f"p99 while {image} is packed", "ms", beside.late, alone.late, at_most(3), "idle")


def floor(program: str, folder: Path, seconds: float) -> None:
    """Print how long an answer takes beside processes that do nothing but keep the cores busy as those that pack do."""
    (folder / "answer").write_bytes(bytes(4096))
    counting = (sys.executable, "-c", f"import os; os.nice({NICENESS})\nwhile True: pass")
    with server(folder, (program, "manifest", str(folder / "answer"))) as running, ExitStack() as busy:
        idle = asked(program, running.root, PACE, lambda: time.sleep(seconds))
        for _ in range(int(WORKERS)):
            busy.callback(busy.enter_context(subprocess.Popen(counting)).kill)
        beside = asked(program, running.root, PACE, lambda: time.sleep(seconds))
    compared("Go's handler", idle, f"beside {WORKERS} that count", beside)


def compared(what: str, idle: Iterable[Answer], then: str, busy: Iterable[Answer]) -> tuple[Waits, Waits]:
    """How long both waited, printed too; `then`: when the busy ones did."""
    alone, beside = Waits.of(idle), Waits.of(busy)
    for name, waits in (("while idle", alone), (then, beside)):
        print(f"  {what} {name:24} {waits}")
    print(f"  p99 is {beside.late / alone.late:.2f} times the idle one", flush=True)
    return alone, beside


def main(words: Sequence[str]) -> None:
    """As the module says."""
    parser = arguments(__doc__)
    parser.add_argument("paths", nargs="*")
    options = parser.parse_args(words)
    rounds, idle_seconds, sizes = (1, 0.5, SHORT) if options.short else (ROUNDS, IDLE_SECONDS, SIZES)
    with tempfile.TemporaryDirectory() as name:
        folder, graphs = Path(name), Path(name, "graphs")
        graphs.mkdir()
        program = built(folder)
        made = (
            {"closure": found(options.paths)}
            if options.paths
            else {f"{s // MB}-mb": grown(folder / f"store-{s}", s, n) for s, n in sizes}
        )
        for image, graph in {"small": grown(folder / "store-small", *TINY), **made}.items():
            (graphs / image).write_bytes(graph)
        measured: list[Row] = []
        for image, graph in made.items():
            if options.short:
                check(program, graphs, image, closure_of(graph))
            measured += pack(program, graphs, image, closure_of(graph), rounds)
            measured.append(wait(program, graphs, image, rounds, idle_seconds))
        floor(program, folder, idle_seconds)
    hand_over(measured, options.rows)


if __name__ == "__main__":
    main(sys.argv[1:])

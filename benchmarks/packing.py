"""How fast an image is packed, beside what Go Nixery does: wall, CPU seconds, size, peak memory, and who waits for it.

    python -m benchmarks.packing                  synthetic stores of 216 MB in 60 paths and 861 MB in 150 paths
    python -m benchmarks.packing PATH...          the closure of these paths of /nix/store
    ROUNDS=3 WORKERS=2 python -m benchmarks.packing ...

Needs Go. Ours is the whole daemon with an empty folder as storage, from the request to the manifest, with a Nix that is
done at once (benchmarks/packing_daemon.py). Go's is benchmarks/go/packing: archive/tar, compress/gzip at level 6 and
two SHA-256, one layer after the other, with the same layers of the same files in the same run; it syncs nothing and
makes no image root. They take turns, and the best of each counts. Then the same tars go through GNU tar and gzip -6.

Last, a manifest is asked for 500 times a second: while nothing else is done, and while the image is packed.

What is to be reached: 5 times Go's speed with a third of its CPU on two cores, at most 1.01 of the size of gzip -6,
100 MB while 861 MB are packed, and 3 times the idle p99.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from benchmarks.daemons import ROOT, Daemon, daemon, watched
from benchmarks.stores import MB, closure_of, files_of, found, grown
from nixery.images.graph import Closure
from nixery.images.layers import plan
from nixery.images.popularity import Popularity

ROUNDS = int(os.environ.get("ROUNDS", "3"))
WORKERS = os.environ.get("WORKERS", "2")
SIZES = ((216 * MB, 60), (861 * MB, 150))
PACE, IDLE_SECONDS = 500, 10
SMALL = (MB, 3)
LAYERS = 93
"""Of store paths: one less than the daemon's NIXERY_MAX_LAYERS, as the root is one too."""


class Packed(NamedTuple):
    """Seconds, CPU seconds, compressed bytes, and the most memory in bytes."""

    wall: float
    cpu: float
    size: int
    memory: int = 0


def packing(graphs: Path) -> AbstractContextManager[Daemon]:
    """A daemon with nothing in its storage, whose Nix is done at once."""
    python = ("-m", "benchmarks.packing_daemon")
    return daemon(graphs.parent, "{ }: { }", python, GRAPHS=str(graphs), NIXERY_PACK_WORKERS=WORKERS)


def ours(graphs: Path, image: str) -> Packed:
    with packing(graphs) as running, watched(running.pid) as seen:
        before = running.cpu
        wall = running.pull(image)
        cpu = running.cpu - before
        size = sum(blob.st_size for blob in running.layers)
    return Packed(wall, cpu, size, max(seen))


def go(program: str, folder: Path, groups: str) -> Packed:
    with tempfile.TemporaryDirectory(dir=folder) as layers:
        words = subprocess.run([program, "pack", layers], input=groups, check=True, stdout=subprocess.PIPE, text=True)
    wall, cpu, size = words.stdout.split()
    return Packed(float(wall), float(cpu), int(size))


def by_gzip(groups: str) -> int:
    """The bytes of the same layers by GNU tar and gzip -6."""
    command = 'tar --sort=name -cPf - "$@" | gzip -6n | wc -c'
    shells = (["sh", "-c", command, "sh", *group.split()] for group in groups.splitlines())
    return sum(int(subprocess.run(shell, check=True, stdout=subprocess.PIPE).stdout) for shell in shells)


def pack(program: str, graphs: Path, image: str, closure: Closure) -> None:
    """Print how ours and Go's packed an image."""
    layers = plan(closure, Popularity.counted(closure), LAYERS)
    groups = "".join(" ".join(map(str, layer.paths)) + "\n" for layer in layers)
    files = files_of(closure)
    print(f"{image}: {sum(files) / MB:.0f} MB in {len(files)} files, {len(closure)} paths, {len(layers) + 1} layers")
    rounds = [(ours(graphs, image), go(program, graphs, groups)) for _ in range(ROUNDS)]
    us, them = (
        Packed(min(one.wall for one in side), min(one.cpu for one in side), side[0].size, max(o.memory for o in side))
        for side in zip(*rounds, strict=True)
    )
    zipped = by_gzip(groups)
    for name, packed in (("nixery", us), ("Go, serially", them)):
        speed = sum(files) / MB / packed.wall
        print(f"  {name:14} {packed.wall:6.2f} s  {speed:6.1f} MB/s  {packed.cpu:6.2f} CPU s  {packed.size} bytes")
    print(
        f"  {them.wall / us.wall:.2f} times the speed, {them.cpu / us.cpu:.2f} times less CPU, "
        f"{us.size / zipped:.4f} of gzip -6 and {us.size / them.size:.4f} of Go's, peak {us.memory / MB:.1f} MB",
        flush=True,
    )


def wait(program: str, graphs: Path, image: str) -> None:
    """Print how long a known manifest takes, while nothing else is done and while the image is packed."""
    with packing(graphs) as running:
        running.pull("small")
        idle = asked(program, running, lambda: time.sleep(IDLE_SECONDS))
        busy = asked(program, running, lambda: running.pull(image))
    for name, (median, late, most, number) in (("idle", idle), (f"{image} is packed", busy)):
        print(
            f"  manifests while {name:16} p50 {median:6.2f} ms  p99 {late:6.2f} ms  most {most:7.2f} ms  ({number:.0f})"
        )
    print(f"  p99 is {busy[1] / idle[1]:.2f} times the idle one", flush=True)


def asked(program: str, running: Daemon, do: Callable[[], object]) -> Sequence[float]:
    """What the Go program prints of asking at a steady pace while something is done."""
    command = (program, "ask", running.address("small"), str(PACE), "600")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        do()
        client.send_signal(signal.SIGINT)
        return [float(word) for word in client.stdout.read().split()]


def main(paths: Sequence[str]) -> None:
    """As the module says."""
    with tempfile.TemporaryDirectory() as name:
        folder, graphs = Path(name), Path(name, "graphs")
        graphs.mkdir()
        program = str(folder / "packing")
        subprocess.run(["go", "build", "-o", program, "."], check=True, cwd=ROOT / "benchmarks" / "go" / "packing")
        made = (
            {"closure": found(paths)} if paths else {f"{s // MB}": grown(folder / f"store-{s}", s, n) for s, n in SIZES}
        )
        for image, graph in {"small": grown(folder / "store-small", *SMALL), **made}.items():
            (graphs / image).write_bytes(graph)
        for image, graph in made.items():
            pack(program, graphs, image, closure_of(graph))
            wait(program, graphs, image)


if __name__ == "__main__":
    main(sys.argv[1:])

"""How fast blobs go out, and what that costs, beside nginx and Go's http.ServeFile: GB/s, CPU seconds a GB, memory.

    python -m benchmarks.blobs [--short] [--rows FILE] [MEGABYTES [TIMES [SECONDS]]]

A blob of 100 MB, 30 times, and slow clients for 20 s, unless told. Needs nginx and Go. All servers serve the same file
on the loopback interface, in turns, so that what else the machine does meets all of them; nginx is one process, as ours
is, and Go takes all cores. "nixery, copying" is ours without sendfile: the way that TLS goes. What each server answers
is checked by its hash first; then the clients (benchmarks/go/client.go) read what comes, and their bytes are counted.
They do so again and have the kernel drop it, which leaves nearly both cores to the servers. Beside those that read,
something else is asked for 200 times a second: of ours a manifest, of the others a file of its size. Then 2,000 clients
read at 50 KB/s each, and the same is asked for beside them.

What is to be reached, of the better of nginx and Go, with clients that read: 0.9 of their GB/s, and twice their CPU
seconds a GB; 10 KiB for each slow client, and 2 ms for the manifest (p50). The floor is the kernel's own work, which is
most of nginx's.
"""

import os
import resource
import statistics
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from benchmarks.peers import Waits, asked, built, run
from benchmarks.report import Row, arguments, at_least, at_most, hand_over
from benchmarks.results import expect
from benchmarks.serving import Serving, make, started

SPEED = 50_000
"""Of slow clients, in bytes a second."""

PACE = 200
"""Requests a second for something else."""

BETTER = "nginx or Go"
TAKES = ("read", "drop")
"""What clients do with what comes."""

GB, MB, KIB = 1e9, 1_000_000, 1024
TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds in which CPU time is counted."""


@frozen
class Extent:
    """How much is done: bytes of the blob, GETs of it, rounds, connections, and slow clients for so many seconds."""

    size: int
    times: int
    seconds: float
    rounds: int = 11
    connections: tuple[int, ...] = (1, 16, 64)
    slow: int = 2000


SHORT = Extent(MB, 8, 1, rounds=1, connections=(1, 4), slow=20)


@frozen
class Pulled:
    """GB a second, and CPU seconds a GB."""

    speed: float
    cpu: float


def pull(program: str, one: Serving, connections: int, take: str, extent: Extent) -> Pulled:
    before = one.server.cpu
    size, seconds = run(program, "blobs", one.blob, connections, extent.times, take)
    expect(size, extent.size * extent.times, one.blob)
    return Pulled(size / seconds / GB, max(TICK, one.server.cpu - before) / size * GB)


def pulls(
    program: str, servers: Mapping[str, Serving], connections: int, take: str, extent: Extent
) -> dict[str, Pulled]:
    """The median speed and CPU of each server's rounds; and print what ours are of those.

    The best rounds of several servers differ by luck: one connection had from 0.76 to 1.03 of the better peer's.
    """
    rounds = [
        {name: pull(program, one, connections, take, extent) for name, one in servers.items()}
        for _ in range(extent.rounds)
    ]
    usual = {name: _median([one[name] for one in rounds]) for name in servers}
    ours = usual["nixery"]
    for name, found in usual.items():
        print(
            f"{connections:3} connections, {take}  {name:16} {found.speed:5.2f} GB/s  {found.cpu:6.3f} CPU s a GB"
            f"   nixery: {ours.speed / found.speed:5.2f} of its speed, {ours.cpu / found.cpu:5.2f} of its CPU",
            flush=True,
        )
    return usual


def _median(pulled: Sequence[Pulled]) -> Pulled:
    return Pulled(statistics.median(one.speed for one in pulled), statistics.median(one.cpu for one in pulled))


def rows(usual: Mapping[str, Pulled], connections: int, take: str) -> list[Row]:
    """Ours beside the better of the others."""
    ours, others = usual["nixery"], (usual["nginx"], usual["Go"])
    speed, cpu = max(other.speed for other in others), min(other.cpu for other in others)
    words = f"{connections} connections, {take}"
    targets = (at_least(0.9), at_most(2)) if take == "read" else (None, None)
    return [
        Row(words, "GB/s", ours.speed, speed, targets[0], BETTER),
        Row(f"{words}, CPU", "s/GB", ours.cpu, cpu, targets[1], BETTER),
    ]


def beside(program: str, servers: Mapping[str, Serving], extent: Extent) -> Row:
    """How long something else waits for the most clients that read."""
    many, longer = extent.connections[-1], evolve(extent, times=4 * extent.times)
    found = {}
    for name, one in servers.items():
        found[name] = Waits.of(asked(program, one.manifest, PACE, partial(pull, program, one, many, "read", longer)))
        print(f"beside {many} connections that read  {name:16} {found[name]}", flush=True)
    other = min(found["nginx"].median, found["Go"].median)
    return Row(f"a manifest beside {many} connections, p50", "ms", found["nixery"].median, other, None, BETTER)


def slow(program: str, name: str, one: Serving, extent: Extent) -> list[Row]:
    """What many slow clients cost a server."""
    run(program, "blobs", one.manifest, 1, 100, "drop")
    memory, cpu = one.server.memory, one.server.cpu
    seen: list[int] = []
    timer = threading.Timer(extent.seconds * 0.8, lambda: seen.append(one.server.memory))
    timer.start()
    speed, median, worst = run(program, "slow", one.blob, extent.slow, SPEED, extent.seconds, one.manifest)
    timer.join()
    each = (seen[0] - memory) / extent.slow / KIB
    print(
        f"{extent.slow} clients at {speed / 1000:4.1f} KB/s  {name:16} {each:6.1f} KiB each  "
        f"{(one.server.cpu - cpu) / extent.seconds:5.2f} cores  beside them p50 {median:6.2f} ms, p99 {worst:7.2f} ms",
        flush=True,
    )
    words = f"{name}: {extent.slow} slow clients"
    targets = (at_most(10), at_most(2)) if name == "nixery" else (None, None)
    return [
        Row(f"{words}, each", "KiB", each, None, targets[0]),
        Row(f"{words}, a manifest beside them, p50", "ms", median, None, targets[1]),
    ]


def main(words: Sequence[str]) -> None:
    """As the module says."""
    parser = arguments(__doc__)
    for what, usual in (("megabytes", 100), ("times", 30), ("seconds", 20)):
        parser.add_argument(what, nargs="?", type=int, default=usual)
    options = parser.parse_args(words)
    extent = SHORT if options.short else Extent(options.megabytes * MB, options.times, options.seconds)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        program = built(Path(name))
        servers = started(running, make(Path(name), extent.size), program)
        for one in servers.values():
            run(program, "blobs", one.blob, 1, 3, "drop")
        found = [
            row
            for many in extent.connections
            for take in TAKES
            for row in rows(pulls(program, servers, many, take, extent), many, take)
        ]
        found.append(beside(program, servers, extent))
        found += [row for name, one in servers.items() for row in slow(program, name, one, extent)]
    hand_over(found, options.rows)


if __name__ == "__main__":
    main(sys.argv[1:])

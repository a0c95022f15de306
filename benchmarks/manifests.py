"""How fast known manifests are answered: requests a second, beside a bare handler of Go's net/http; and warm pulls.

    python -m benchmarks.manifests [--short] [--rows FILE] [SECONDS [ROUNDS]]    5 s for each figure, in 3 rounds

Needs Nix and Go. The daemon, on the filesystem, has built an image of some twenty layers; its manifest is asked for by
tag and by digest over 64 connections that are kept, and by tag over one: a warm pull of a mutable tag. The handler
answers with the same bytes from memory, and does nothing else. Each server has one core to itself, and the client
another, where there are two. Servers take turns, so that what else the machine does meets both. Every connection's
first answer is checked by its hash, and all others by their statuses and lengths.

What is to be reached: 0.12 of the handler's requests a second, and 2 ms for a warm pull (p50). The floor is Twisted's
own HTTP with a constant answer and no access log: "twisted.web".
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.daemons import NIX, Daemon, Server, daemon, server
from benchmarks.peers import built, run
from benchmarks.report import Row, arguments, at_least, at_most, hand_over
from benchmarks.results import OCI, fetched, layers_of

CONNECTIONS = 64
IMAGE = "left/right"
FLOOR = """
import pathlib, sys
from twisted.internet import reactor
from twisted.web import resource, server
class Constant(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        request.setHeader("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        return body
body = pathlib.Path(sys.argv[1]).read_bytes()
site = server.Site(Constant())
site.log = lambda request: None
print("port", reactor.listenTCP(0, site, interface="127.0.0.1").getHost().port, flush=True)
reactor.run()
"""
PACKAGES = """
{ system, ... }: let
  make = name: needs: derivation {
    inherit name system needs; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
    args = [ "-ec" "mkdir $out; echo $needs > $out/${name}; head -c 300000 /dev/zero > $out/${name}.zeros" ];
  };
  links = builtins.genList (number: make "link-${toString number}" "") 20;
in {
  cacert = make "cacert" ""; iana-etc = make "iana-etc" "";
  left = make "left" links; right = make "right" links;
}
"""


class Measured(NamedTuple):
    """Requests a second, the server's CPU microseconds for one, and milliseconds: the median, the 99th of a hundred."""

    speed: float
    cpu: float
    median: float
    worst: float


Best = dict[tuple[str, int], Measured]
"""By a case's name and connections."""


class Case(NamedTuple):
    """What is measured: an address of a server, over so many connections."""

    name: str
    server: Server
    address: str
    connections: int


def on_core(number: int) -> tuple[str, ...]:
    """What a command line begins with that has one core to itself; nothing where there are no two."""
    cores = sorted(os.sched_getaffinity(0))
    taskset = shutil.which("taskset")
    return () if taskset is None or len(cores) < 2 else (taskset, "-c", str(cores[number]))


def cases(ours: Daemon, go: Server, floor: Server, digest: str) -> list[Case]:
    """All answer with the manifest of this digest. Raises WrongResult when one does not."""
    tag, by_digest = ours.address(IMAGE), f"{ours.root}/v2/{IMAGE}/manifests/sha256:{digest}"
    for address in (tag, by_digest, go.root, floor.root):
        fetched(address, digest)
    return [
        Case("nixery, by tag", ours, tag, CONNECTIONS),
        Case("nixery, by digest", ours, by_digest, CONNECTIONS),
        Case("twisted.web", floor, floor.root, CONNECTIONS),
        Case("Go", go, go.root, CONNECTIONS),
        Case("nixery, by tag", ours, tag, 1),
        Case("Go", go, go.root, 1),
    ]


def pull(program: str, case: Case, seconds: float, digest: str) -> Measured:
    before = case.server.cpu
    words = ("manifests", case.address, OCI, case.connections, seconds, digest)
    answers, took, median, worst = run(program, *words, before=on_core(1))
    return Measured(answers / took, (case.server.cpu - before) / answers * 1e6, median, worst)


def measure(program: str, cases: list[Case], seconds: float, rounds: int, digest: str) -> Best:
    """The best of all rounds for each case."""
    best: Best = {}
    for _ in range(rounds):
        for case in cases:
            new = pull(program, case, seconds, digest)
            old = best.get((case.name, case.connections), new)
            best[case.name, case.connections] = Measured(max(old.speed, new.speed), *map(min, old[1:], new[1:]))
    return best


def show(best: Best) -> None:
    """Print each, and what it is of Go's."""
    for (name, connections), (speed, cpu, median, worst) in best.items():
        print(
            f"{connections:3} connections  {name:18} {speed:8.0f} requests/s  {cpu:5.0f} us CPU"
            f"  p50 {median:6.2f} ms  p99 {worst:6.2f} ms   {speed / best['Go', connections].speed:6.3f} of Go's",
        )


def rows(best: Best) -> list[Row]:
    names = ("nixery, by tag", "nixery, by digest", "twisted.web")
    speeds = {name: best[name, CONNECTIONS].speed for name in names}
    go, target = best["Go", CONNECTIONS].speed, at_least(0.12)
    return [
        *(
            Row(name, "requests/s", speed, go, None if name == "twisted.web" else target, "Go")
            for name, speed in speeds.items()
        ),
        Row("warm pull of a tag, p50", "ms", best["nixery, by tag", 1].median, None, at_most(2)),
    ]


def main(words: Sequence[str]) -> None:
    """As the module says."""
    parser = arguments(__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=5)
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    options = parser.parse_args(words)
    seconds, rounds = (0.2, 1) if options.short else (options.seconds, options.rounds)
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder, body = Path(name), Path(name, "manifest")
        program = built(folder)
        ours = running.enter_context(daemon(folder, PACKAGES, before=on_core(0), NIX_CONFIG=NIX))
        digest = hashlib.sha256(fetched(ours.address(IMAGE))).hexdigest()
        body.write_bytes(fetched(ours.address(IMAGE), digest))
        layers_of(ours, IMAGE)
        go = running.enter_context(server(folder, (*on_core(0), program, "manifest", str(body))))
        floor = running.enter_context(server(folder, (*on_core(0), sys.executable, "-c", FLOOR, str(body))))
        print(f"a manifest of {body.stat().st_size} bytes")
        best = measure(program, cases(ours, go, floor, digest), seconds, rounds, digest)
    show(best)
    hand_over(rows(best), options.rows)


if __name__ == "__main__":
    main(sys.argv[1:])

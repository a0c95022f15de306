"""How fast known manifests are answered: requests a second, beside a bare handler of Go's net/http; and warm pulls.

    python benchmarks/manifests.py [SECONDS [ROUNDS]]    5 s for each figure, in 3 rounds; "1 1" is the short form

Needs Nix and Go. The daemon, on the filesystem, has built an image of some twenty layers; its manifest is asked for by
tag and by digest over 64 connections that are kept, and by tag over one: a warm pull of a mutable tag. The handler
answers with the same bytes from memory, and does nothing else. Each server has one core to itself, and the client
another, where there are two. Servers take turns, so that what else the machine does meets both. Every connection's
first answer is checked by its hash: a wrong one ends this with an error, and no time does.

What is to be reached: 0.12 of the handler's requests a second, and 2 ms for a warm pull (p50). The floor is Twisted's
own HTTP with a constant answer and no access log: "twisted.web".
"""

import hashlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
CONNECTIONS = 64
IMAGE = "left/right"
OCI = "application/vnd.oci.image.manifest.v1+json"
DAEMON = "from twisted.scripts.twistd import run; run()"
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
NIX = "build-users-group =\nsandbox = false\nsubstituters ="
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


class Server(NamedTuple):
    """A server that runs."""

    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Seconds (proc(5), stat)."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")


class Case(NamedTuple):
    """What is measured: a path of a server, over so many connections."""

    name: str
    server: Server
    path: str
    connections: int


def on_core(number: int) -> list[str]:
    """What a command line begins with that has one core to itself; nothing where there are no two."""
    cores = sorted(os.sched_getaffinity(0))
    taskset = shutil.which("taskset")
    return [] if taskset is None or len(cores) < 2 else [taskset, "-c", str(cores[number])]


@contextmanager
def server(folder: Path, *command: str, **settings: str) -> Iterator[Server]:
    """A server that runs on a core of its own, and writes its log to a file."""
    descriptor, log = tempfile.mkstemp(dir=folder)
    with open(descriptor, "wb") as file:
        child = subprocess.Popen([*on_core(0), *command], stdout=file, stderr=file, cwd=ROOT, env=os.environ | settings)
    try:
        yield Server(child.pid, port_in(Path(log), child))
    finally:
        child.terminate()
        child.wait()


def port_in(log: Path, child: subprocess.Popen[bytes]) -> int:
    """The port that a server says it listens on."""
    while child.poll() is None:
        if found := re.search(r"(?:port|on) (\d+)$", log.read_text(), re.MULTILINE):
            return int(found[1])
        time.sleep(0.05)
    sys.exit(log.read_text())


def daemon() -> list[str]:
    """The command line of ours."""
    return [sys.executable, "-c", DAEMON, "-n", "--pidfile=", "nixery", "--listen", "tcp:0:interface=127.0.0.1"]


def settings(folder: Path) -> dict[str, str]:
    """Its settings: a package set in the folder, and everything that it keeps there too."""
    packages = folder / "packages"
    packages.mkdir()
    (packages / "default.nix").write_text(PACKAGES)
    state = str(folder / "state")
    return {"NIXERY_PKGS_PATH": str(packages), "STATE_DIRECTORY": state, "HOME": str(folder), "NIX_CONFIG": NIX}


def manifest(port: int) -> bytes:
    """The manifest of the image, which is built."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/v2/{IMAGE}/manifests/latest", headers={"Accept": OCI})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(body.decode())
    return body


def pull(program: str, case: Case, seconds: float, digest: str) -> Measured:
    address = f"http://127.0.0.1:{case.server.port}{case.path}"
    command = [*on_core(1), program, "pull", address, OCI, str(case.connections), str(seconds), digest]
    before = case.server.cpu
    words = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    answers, took, median, worst = map(float, words)
    return Measured(answers / took, (case.server.cpu - before) / answers * 1e6, median, worst)


def measure(program: str, cases: list[Case], seconds: float, rounds: int, digest: str) -> None:
    """Print the best of all rounds for each case, and what it is of Go's."""
    best: dict[Case, Measured] = {}
    for _ in range(rounds):
        for case in cases:
            new = pull(program, case, seconds, digest)
            old = best.get(case, new)
            best[case] = Measured(max(old.speed, new.speed), *map(min, old[1:], new[1:]))
    for case, (speed, cpu, median, worst) in best.items():
        peer = next(other for other in cases if other.name == "Go" and other.connections == case.connections)
        print(
            f"{case.connections:3} connections  {case.name:18} {speed:8.0f} requests/s  {cpu:5.0f} us CPU"
            f"  p50 {median:6.2f} ms  p99 {worst:6.2f} ms   {speed / best[peer].speed:6.3f} of Go's",
            flush=True,
        )


def main(arguments: list[str]) -> None:
    """As the module says."""
    seconds, rounds = [*map(int, arguments), *(5, 3)[len(arguments) :]]
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        program = str(folder / "manifests")
        subprocess.run(["go", "build", "-o", program, "."], check=True, cwd=ROOT / "benchmarks" / "go" / "manifests")
        ours = running.enter_context(server(folder, *daemon(), **settings(folder)))
        body = manifest(ours.port)
        (folder / "manifest").write_bytes(body)
        go = running.enter_context(server(folder, program, "serve", str(folder / "manifest")))
        floor = running.enter_context(server(folder, sys.executable, "-c", FLOOR, str(folder / "manifest")))
        digest = hashlib.sha256(body).hexdigest()
        tag, by_digest = f"/v2/{IMAGE}/manifests/latest", f"/v2/{IMAGE}/manifests/sha256:{digest}"
        cases = [
            Case("nixery, by tag", ours, tag, CONNECTIONS),
            Case("nixery, by digest", ours, by_digest, CONNECTIONS),
            Case("twisted.web", floor, "/", CONNECTIONS),
            Case("Go", go, "/", CONNECTIONS),
            Case("nixery, by tag", ours, tag, 1),
            Case("Go", go, "/", 1),
        ]
        print(f"a manifest of {len(body)} bytes")
        measure(program, cases, seconds, rounds, digest)


if __name__ == "__main__":
    main(sys.argv[1:])

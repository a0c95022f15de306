"""Servers that run in processes of their own, ours with an empty storage among them, and what they use."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parent.parent
NIX = "build-users-group =\nsandbox = false\nsubstituters =\n"
"""What Nix needs to build where nothing is set up for it: a NIX_CONFIG."""

TWISTD = ("-c", "from twisted.scripts.twistd import run; run()")


@frozen
class Server:
    """One that runs. `root`: its URL."""

    pid: int
    root: str
    file: Path

    @property
    def log(self) -> list[str]:
        """Its lines so far."""
        return self.file.read_text().splitlines()

    @property
    def cpu(self) -> float:
        """See cpu_of."""
        return cpu_of(self.pid)

    @property
    def memory(self) -> int:
        """See memory_of."""
        return memory_of(self.pid)


@frozen
class Daemon(Server):
    """Ours, which keeps what it stores in a folder."""

    storage: Path

    @property
    def nix_ended(self) -> tuple[float, float]:
        """When the Nix of benchmarks/packing_daemon.py last ended (time.time), and the CPU seconds until then."""
        said = (re.search(r"Nix ended at (\S+) after (\S+)", line) for line in reversed(self.log))
        when, cpu = next(filter(None, said)).groups()
        return float(when), float(cpu)

    @property
    def layers(self) -> list[os.stat_result]:
        """Of all blobs."""
        return [blob.stat() for blob in (self.storage / "layers").iterdir()]

    def address(self, image: str) -> str:
        return f"{self.root}/v2/{image}/manifests/latest"

    def pull(self, image: str) -> float:
        """Ask for an image's manifest; gives the seconds until it was there."""
        began = time.perf_counter()
        with urllib.request.urlopen(self.address(image)) as answer:
            answer.read()
        return time.perf_counter() - began


def command(python: Sequence[str] = TWISTD, plugin: str = "nixery", backlog: int = 50) -> list[str]:
    """A daemon's command line; `python`: arguments of the interpreter that come before twistd's."""
    listen = f"tcp:0:interface=127.0.0.1:backlog={backlog}"
    return [sys.executable, *python, "-n", "--pidfile=", plugin, "--listen", listen]


@contextmanager
def server(parent: Path, words: Sequence[str], port: str = "", **settings: str) -> Iterator[Server]:
    """A server that says its port in its log, unless told. The log goes to a file, which nobody has to empty."""
    descriptor, name = tempfile.mkstemp(dir=parent)
    with open(descriptor, "wb") as log:
        child = subprocess.Popen(words, stdout=log, stderr=log, cwd=ROOT, env=os.environ | settings)
    with child:
        try:
            yield Server(child.pid, f"http://127.0.0.1:{port or _port(Path(name), child)}", Path(name))
        finally:
            child.terminate()


def _port(log: Path, child: subprocess.Popen[bytes]) -> int:
    while child.poll() is None:
        if said := re.search(r"(?:port|starting on) (\d+)$", log.read_text(), re.MULTILINE):
            return int(said[1])
        time.sleep(0.002)
    raise RuntimeError(log.read_text())


@contextmanager
def daemon(
    parent: Path, package_set: str, python: Sequence[str] = TWISTD, before: Sequence[str] = (), **settings: str
) -> Iterator[Daemon]:
    """A daemon with nothing in its storage; `before`: what its command line begins with."""
    with tempfile.TemporaryDirectory(dir=parent) as name:
        for part in ("set", "storage", "state"):
            (Path(name) / part).mkdir()
        (Path(name) / "set" / "default.nix").write_text(package_set)
        settings |= {"NIXERY_PKGS_PATH": f"{name}/set", "STORAGE_PATH": f"{name}/storage"}
        settings |= {"STATE_DIRECTORY": f"{name}/state", "HOME": name}
        with server(Path(name), [*before, *command(python)], **settings) as running:
            yield Daemon(running.pid, running.root, running.file, Path(name, "storage"))


def program(name: str) -> str | None:
    """Its path, or None; servers are where users' shells do not look."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def cpu_of(pid: int) -> float:
    """The seconds of CPU that a process and its children have taken (proc(5), stat)."""
    return sum(map(_cpu, _family(pid)))


def memory_of(pid: int) -> int:
    """The bytes of a process and its children, with their part of what they share (proc(5), smaps_rollup)."""
    return sum(map(_memory, _family(pid)))


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """The memory of a process and its children from time to time, in bytes."""
    seen: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            seen.append(memory_of(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _family(pid: int) -> list[int]:
    """A process and all below it, without those that are just being started and still are their parent's image."""
    tasks = [task.read_text().split() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    children = [int(child) for task in tasks for child in task if _command(int(child)) != _command(pid)]
    return [pid, *(one for child in children for one in _family(child))]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _cpu(pid: int) -> float:
    """Seconds, with those of children that have ended."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    """Nothing for what ends meanwhile."""
    with suppress(OSError):
        own = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return 0 if own is None else int(own[1]) * 1024
    return 0

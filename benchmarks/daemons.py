"""Daemons with an empty storage, in processes of their own, and what they use."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
TWISTD = ("-c", "from twisted.scripts.twistd import run; run()")


class Daemon(NamedTuple):
    """One that runs. `log`: its lines so far."""

    pid: int
    root: str
    storage: Path
    log: list[str]

    @property
    def cpu(self) -> float:
        """Seconds, with those of its children (proc(5), stat)."""
        return sum(map(_cpu, _family(self.pid)))

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


@contextmanager
def daemon(parent: Path, package_set: str, python: tuple[str, ...] = TWISTD, **settings: str) -> Iterator[Daemon]:
    """A daemon with nothing in its storage; `python`: arguments of the interpreter that come before twistd's."""
    with tempfile.TemporaryDirectory(dir=parent) as name:
        for part in ("set", "storage", "state"):
            (Path(name) / part).mkdir()
        (Path(name) / "set" / "default.nix").write_text(package_set)
        settings |= {"NIXERY_PKGS_PATH": f"{name}/set", "STORAGE_PATH": f"{name}/storage"}
        settings |= {"STATE_DIRECTORY": f"{name}/state", "HOME": name}
        arguments = ("-n", "--pidfile=", "nixery", "--listen", "tcp:0:interface=127.0.0.1")
        with subprocess.Popen(
            (sys.executable, *python, *arguments),
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | settings,
        ) as child:
            assert child.stdout is not None
            log: list[str] = []
            reader = threading.Thread(target=log.extend, args=(child.stdout,))
            try:
                port = next(said[1] for line in child.stdout if (said := re.search(r"starting on (\d+)", line)))
                reader.start()
                yield Daemon(child.pid, f"http://127.0.0.1:{port}", Path(name, "storage"), log)
            finally:
                child.terminate()
                if reader.is_alive():
                    reader.join()


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """The memory of a process and its children from time to time, in bytes."""
    seen: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            seen.append(sum(map(_memory, _family(pid))))

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
    """Bytes, with its part of what it shares (proc(5), smaps_rollup); what ends meanwhile has none."""
    with suppress(OSError):
        own = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return 0 if own is None else int(own[1]) * 1024
    return 0

"""The daemon as a user runs it, for tests: `twistd -n nixery` in a process of its own."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from attrs import define, field, frozen

PROJECT = Path(__file__).parent.parent.parent
NIX_CONFIG = "build-users-group =\nsandbox = false\nsubstituters =\n"
SECONDS = 60.0

_STARTED = re.compile(rb"Site starting on (\d+)")
_COUNTER = """#!/bin/sh
echo "$@" >> {calls}
exec {real} "$@"
"""


@frozen
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, str]:
        """The first error of the registry's JSON."""
        assert self.headers["Content-Type"] == "application/json"
        error: dict[str, str] = json.loads(self.body)["errors"][0]
        return error

    @property
    def layers(self) -> list[str]:
        """The digests of a manifest's layers."""
        return [layer["digest"] for layer in json.loads(self.body)["layers"]]


@define
class Daemon:
    """A daemon with a state folder of its own; `settings` are environment variables, `plugin` one of twistd's."""

    folder: Path
    settings: dict[str, str]
    plugin: str = "nixery"
    port: int = 0
    socket: str | None = None
    process: subprocess.Popen[bytes] | None = None
    log: bytearray = field(factory=bytearray)

    @property
    def storage(self) -> Path:
        return self.folder / "state" / "storage"

    @property
    def calls(self) -> list[str]:
        """The command lines of nix-build so far."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def start(self) -> Self:
        """Start it and wait until it listens."""
        self.process = subprocess.Popen(
            [_twistd(), "-n", "--pidfile=", self.plugin, "--listen", "tcp:0:interface=127.0.0.1"],
            env=self._environment(),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started = threading.Event()
        threading.Thread(target=self._read, args=(self.process, started), daemon=True).start()
        assert started.wait(SECONDS), self.log.decode()
        ports = _STARTED.findall(self.log)
        assert ports, self.log.decode()
        self.port = int(ports[-1])
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and wait for that; gives the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def ask(self, target: str, method: str = "GET", **headers: str) -> Answer:
        """One request on a connection of its own. Header names with `_` for a dash."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        if self.socket is not None:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(self.socket)
        try:
            connection.request(method, target, headers={name.replace("_", "-"): text for name, text in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def pull(self, name: str, tag: str = "latest", method: str = "GET") -> Answer:
        """The manifest of an image, in OCI format."""
        return self.ask(f"/v2/{name}/manifests/{tag}", method, Accept="application/vnd.oci.image.manifest.v1+json")

    def pull_at_once(self, *names: str) -> list[Answer]:
        """Several manifests, asked for at the same time."""
        with ThreadPoolExecutor(len(names)) as threads:
            return list(threads.map(self.pull, names))

    def blob(self, digest: str) -> Answer:
        return self.ask(f"/v2/x/blobs/{digest}")

    def _read(self, process: subprocess.Popen[bytes], started: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.log += line
            if _STARTED.search(line):
                started.set()
        started.set()

    def _environment(self) -> dict[str, str]:
        wrappers = self.folder / "bin"
        if not wrappers.exists():
            wrappers.mkdir()
            wrapper = wrappers / "nix-build"
            wrapper.write_text(_COUNTER.format(calls=self.folder / "calls", real=shutil.which("nix-build")))
            wrapper.chmod(0o755)
        return {
            "HOME": str(self.folder),
            "PATH": f"{wrappers}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "NIX_CONFIG": NIX_CONFIG,
            "STATE_DIRECTORY": str(self.folder / "state"),
            **self.settings,
        }


def _twistd() -> str:
    return str(Path(sys.executable).with_name("twistd"))


@contextmanager
def running(folder: Path, plugin: str = "nixery", **settings: str) -> Iterator[Daemon]:
    """A started daemon, killed at the end if the test has left it running."""
    folder.mkdir(exist_ok=True)
    daemon = Daemon(folder, settings, plugin)
    try:
        yield daemon.start()
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.stop(signal.SIGTERM)


def package_set(folder: Path, salt: str) -> Path:
    """A copy of the packages whose slow ones nobody has built yet."""
    folder.mkdir()
    shutil.copy(PROJECT / "tests/integration/packages.nix", folder / "default.nix")
    (folder / "salt").write_text(salt)
    return folder


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true soon: for what other processes do."""
    never = threading.Event()
    for _ in range(int(SECONDS / 0.05)):
        if condition():
            return True
        never.wait(0.05)
    return False


def processes_with(text: str) -> list[str]:
    """The command lines of the living processes that contain it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (entry / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if text in line or text in environment:
                found.append(line)
    return found

"""containerd, dockerd and crane's registry as processes of the tests' own: nothing of the host's is touched."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.daemon import SECONDS, eventually

# Nothing of CRI: it would want CNI's network.
_CONTAINERD = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "{folder}/socket"
[ttrpc]
address = "{folder}/ttrpc"
"""


@contextmanager
def containerd(folder: Path) -> Iterator[str]:
    """A running containerd; its socket."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(_CONTAINERD.format(folder=folder))
    with _process(folder, "containerd", "--config", f"{folder}/config.toml"):
        socket = f"{folder}/socket"
        _await(folder, "ctr", "-a", socket, "version")
        yield socket


@contextmanager
def dockerd(folder: Path) -> Iterator[str]:
    """A running dockerd, which starts a containerd of its own below itself; its socket."""
    folder.mkdir(parents=True)
    socket = f"{folder}/socket"
    own = ("--data-root", f"{folder}/root", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid")
    network = ("--bridge=none", "--iptables=false", "--ip6tables=false")
    with _process(folder, "dockerd", "-H", f"unix://{socket}", *own, *network, "--storage-driver=vfs"):
        _await(folder, "docker", "-H", f"unix://{socket}", "version")
        yield socket


@contextmanager
def crane_registry(folder: Path) -> Iterator[str]:
    """A running registry that takes pushes; its host and port."""
    folder.mkdir(parents=True)
    with _process(folder, "crane", "registry", "serve", "--address", "127.0.0.1:0"):
        log = folder / "log"
        assert eventually(lambda: re.search(r"serving on port \d+", log.read_text()) is not None), log.read_text()
        yield "127.0.0.1:" + re.findall(r"serving on port (\d+)", log.read_text())[0]


def _await(folder: Path, *command: str) -> None:
    """Until the command succeeds."""
    answers = lambda: subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: E731
    assert eventually(answers), (folder / "log").read_text()


@contextmanager
def _process(folder: Path, *command: str) -> Iterator[None]:
    """A process that is ended afterwards; it writes to `folder`/log."""
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)

"""The seven clients with their engines, and what comes of what they are told to do."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from attrs import frozen

from tests.integration.client_commands import Client, Commands, Image
from tests.integration.client_engines import Buildah, Containerd, Docker, Podman
from tests.integration.daemon import Daemon
from tests.integration.engines import containerd, crane_registry, dockerd
from tests.integration.registry_tools import Crane, Regctl, Skopeo

Making = Callable[[Path], Client]
"""A client in this folder, whose path is short: podman's may have 50 characters."""

KINDS: Mapping[str, type[Client]] = {
    "skopeo": Skopeo,
    "podman": Podman,
    "buildah": Buildah,
    "containerd": Containerd,
    "docker": Docker,
    "crane": Crane,
    "regctl": Regctl,
}

_SERVERS = {"containerd": containerd, "docker": dockerd, "crane": crane_registry}

SECONDS = 90
"""For one command: some clients go on trying for very long."""


@contextmanager
def started(name: str, folder: Path) -> Iterator[Making]:
    """One of the clients; its engine, if it has one, runs in `folder` meanwhile."""
    if name in _SERVERS:
        with _SERVERS[name](folder / name) as server:
            yield partial(KINDS[name], server=server)
    else:
        yield KINDS[name]


@contextmanager
def clients(folder: Path) -> Iterator[Mapping[str, Making]]:
    """All seven by name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(started(name, folder)) for name in KINDS}


@frozen
class Came:
    """What came of commands: the last exit status (None: it took too long), and what they printed."""

    status: int | None
    text: str
    last: str = ""

    @property
    def well(self) -> bool:
        return self.status == 0

    @property
    def end(self) -> str:
        """The last line that they printed."""
        lines = self.text.split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def carried_out(commands: Commands, folder: Path, seconds: int = SECONDS) -> Came:
    """Run the commands until one fails, in a folder that is their home."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    said: list[str] = []
    for command in commands:
        try:
            ran = subprocess.run(
                command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=seconds
            )
        except subprocess.TimeoutExpired as over:
            return Came(None, "\n".join([*said, *((stream or b"").decode() for stream in (over.stdout, over.stderr))]))
        said += [ran.stdout, ran.stderr]
        if ran.returncode:
            return Came(ran.returncode, "\n".join(said))
    return Came(0, "\n".join(said), ran.stdout + ran.stderr)


def digests(daemon: Daemon, image: Image) -> list[str]:
    """The digests of the image's manifest in each format, then of its config, in hex."""
    types = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
    target = f"/v2/{image.name}/manifests/{image.tag}"
    answers = [daemon.ask(target, Accept=accept) for accept in types]
    found = [answer.headers["Docker-Content-Digest"] for answer in answers]
    found += [json.loads(answer.body)["config"]["digest"] for answer in answers]
    return [digest.removeprefix("sha256:") for digest in found]

"""Real clients, each with storage of its own in the test's folder."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")


def skopeo(*arguments: str) -> str:
    """What skopeo prints; raises CalledProcessError."""
    command = ("skopeo", "--insecure-policy", *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def copied(reference: str, folder: Path, *options: str) -> dict[str, Any]:
    """Copy an image to an OCI layout with skopeo, which checks each digest, and give its config."""
    skopeo("copy", "--src-tls-verify=false", *options, f"docker://{reference}", f"oci:{folder}")
    config: dict[str, Any] = json.loads(skopeo("inspect", "--config", f"oci:{folder}"))
    return config


@frozen
class Podman:
    """Podman with a storage of its own."""

    folder: Path
    driver: str

    def run(self, reference: str, *command: str) -> str:
        """What a command prints in a container of the image, without a network; raises CalledProcessError."""
        arguments = (*self._run, "--network=none", reference, *command)
        return subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=300).stdout

    @contextmanager
    def serving(self, reference: str, conf: Path, *command: str) -> Iterator[None]:
        """A container on the host's network that sees `conf` as /conf; ended afterwards."""
        arguments = (*self._run, "--network=host", "--name=serving", "-v", f"{conf}:/conf:ro", reference, *command)
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            try:
                yield
            finally:
                subprocess.run((*self._podman, "rm", "-f", "-t", "1", "serving"), check=False, capture_output=True)

    @property
    def _podman(self) -> tuple[str, ...]:
        folders = ("--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"))
        return ("podman", "--storage-driver", self.driver, "--runtime", "runc", *folders)

    @property
    def _run(self) -> tuple[str, ...]:
        return (*self._podman, "run", "--rm", "-q", "--tls-verify=false", *_LIMITS)


@contextmanager
def podman_in(folder: Path) -> Iterator[Podman]:
    """Podman with all that is its own in a folder, which can be removed afterwards."""
    (folder / "driver").mkdir()
    podman = Podman(folder, storage_driver(folder / "driver"))
    try:
        yield podman
    finally:
        unmount_all(folder)


def unmount_all(folder: Path) -> None:
    """Unmount what engines have left mounted below a folder, so that it can be removed."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((place for place in mounted if Path(place).is_relative_to(folder)), reverse=True):
        subprocess.run(("umount", "--lazy", place), check=False, capture_output=True)


def storage_driver(folder: Path) -> str:
    """overlay where this machine can mount one, else vfs, which copies every layer whole."""
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir()
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
    mounting = ("mount", "-t", "overlay", "overlay", "-o", options, str(folder / "merged"))
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        return "vfs"
    subprocess.run(("umount", str(folder / "merged")), check=True)
    return "overlay"

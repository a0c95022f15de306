"""Whether what a benchmark measured is right: blobs are what their names say, and layers hold what a peer packed."""

import hashlib
import json
import tarfile
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from benchmarks.daemons import Daemon
from benchmarks.report import WrongResult

OCI = "application/vnd.oci.image.manifest.v1+json"


def fetched(url: str, digest: str = "") -> bytes:
    """What is there. Raises WrongResult when it has not this SHA-256 (hexadecimal), and HTTPError for no 200."""
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": OCI})) as answer:
        body: bytes = answer.read()
    found = hashlib.sha256(body).hexdigest()
    expect(found, digest or found, url)
    return body


def layers_of(running: Daemon, image: str) -> list[Path]:
    """The layers that an image's manifest names, as they are stored. Raises WrongResult when they are not."""
    manifest = json.loads(fetched(running.address(image)))
    parts = [
        (part["digest"].removeprefix("sha256:"), part["size"]) for part in [manifest["config"], *manifest["layers"]]
    ]
    blobs = [running.storage / "layers" / digest for digest, _ in parts]
    for blob, part in zip(blobs, parts, strict=True):
        data = blob.read_bytes()
        expect((hashlib.sha256(data).hexdigest(), len(data)), part, f"{blob}")
    return blobs[1:]


def contents(layers: Iterable[Path]) -> dict[str, str]:
    """What is in layers: by name, the SHA-256 of a file or the target of a link; folders have neither."""
    found: dict[str, str] = {}
    for layer in layers:
        with tarfile.open(layer) as archive:
            found |= {member.name.strip("/"): _content(archive, member) for member in archive}
    return found


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member) if member.isfile() else None
    return member.linkname if file is None else hashlib.sha256(file.read()).hexdigest()


def expect(found: object, wanted: object, what: str) -> None:
    """Raises WrongResult when they differ."""
    if found != wanted:
        raise WrongResult(f"{what}: {found} instead of {wanted}")

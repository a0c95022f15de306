"""crane and nixery-validate find every image of the test set valid, in both formats and for both platforms."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from nixery.images.index import IndexFormat
from nixery.images.manifest import Format
from tests.integration.client_commands import Image
from tests.integration.conftest import need
from tests.integration.daemon import PROJECT, Daemon, running
from tests.integration.registry_tools import Crane

TOGETHER = "7zip/bashinteractive/cacert/coreutils/forger/iana-etc/moreutils/nano/other/set.inner/slow"
IMAGES = ("hello", "libshared", "pythonpackages.requests", "shell", "shell/hello", "big", TOGETHER)
WITHOUT = {"fails", "hangs", "raves", "runaway", "whiteout", "unfree", "broken", "throws", "text", "salt"}
"""What packages.nix has to be refused, or to take for ever."""
WITHOUT |= {"loud"}
"""An empty folder, whose builder takes a quarter of a minute to print."""

DESCRIBED = ("app", "plain", "indirect", "tell", "other", "tell/other", "apart", "cacert")
QUIRKS = ("alias", "pythonpackages.six", "several/first", "strangeoutputs/notlisted/strangemeta", "7zip/import")
DEBIAN = ("shell/curl/jq", "shell/git/htop", "python3", "nginx", "hello")

PLATFORMS = "linux/amd64,linux/arm64"
INDEXES, MANIFESTS = tuple(IndexFormat), tuple(Format)
MANY = 25
"""Layers."""
PATIENCE = 300
"""Seconds."""


def test_every_package_of_the_set_is_in_an_image(packages: Path) -> None:
    expression = "set: builtins.attrNames (import set { system = null; config = { }; overlays = [ ]; })"
    command = ("nix-instantiate", "--eval", "--strict", "--json", "-E", f"({expression}) {packages}")
    names = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    words = {word.partition(".")[0] for image in IMAGES for word in image.split("/")}
    assert {name.lower().removeprefix("_") for name in names} == words - {"shell"} | WITHOUT


def test_packages_alone_and_together(packages: Path, tmp_path: Path) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages), NIXERY_PLATFORMS=PLATFORMS) as daemon:
        assert_valid(daemon, IMAGES, INDEXES)
        assert_valid(daemon, ("amd64/shell/hello", "arm64/shell/hello"), MANIFESTS)


@pytest.mark.parametrize(("file", "names"), [("settings.nix", DESCRIBED), ("quirks.nix", QUIRKS)])
def test_images_of_other_sets(tmp_path: Path, file: str, names: Sequence[str]) -> None:
    (tmp_path / "set").mkdir()
    shutil.copy(PROJECT / "tests/integration" / file, tmp_path / "set/default.nix")
    settings = {"NIXERY_PKGS_PATH": str(tmp_path / "set"), "NIXERY_PLATFORMS": PLATFORMS}
    with running(tmp_path / "daemon", **settings) as daemon:
        assert_valid(daemon, names, INDEXES)


def test_debians_packages_in_many_layers(debian_index: Path, tmp_path: Path) -> None:
    settings = {"NIXERY_DEBIAN_INDEX": str(debian_index), "NIXERY_PLATFORMS": PLATFORMS}
    with running(tmp_path / "daemon", **settings) as daemon:
        assert_valid(daemon, DEBIAN, INDEXES)
        assert len(daemon.pull("amd64/shell/git/htop").layers) > MANY


def assert_valid(daemon: Daemon, names: Sequence[str], formats: Sequence[IndexFormat | Format]) -> None:
    """Both tools pass on each image. crane takes any format by tag: it is given the digest of each."""
    need("crane")
    images = [Image(f"127.0.0.1:{daemon.port}", name) for name in names]
    with ThreadPoolExecutor(2) as threads:
        digests = list(threads.map(partial(digest_of, daemon), *zip(*product(images, formats), strict=True)))
        assert len(set(digests)) == len(digests)
        commands = [(sys.executable, "-m", "nixery.commands.validate", *(image.reference for image in images))]
        commands += [command for digest in digests for command in Crane(daemon.folder).validate(digest)]
        faults = [fault for fault in threads.map(fault_of, commands) if fault]
    assert not faults, "\n".join(faults)


def digest_of(daemon: Daemon, image: Image, format: IndexFormat | Format) -> str:
    """The reference, with its digest, of what the tag answers in this format."""
    answer = daemon.ask(f"/v2/{image.name}/manifests/{image.tag}", Accept=format.value)
    assert (answer.status, answer.headers["Content-Type"]) == (200, format.value), answer.body
    platforms = [entry["platform"]["architecture"] for entry in json.loads(answer.body).get("manifests", ())]
    assert platforms == (["amd64", "arm64"] if isinstance(format, IndexFormat) else [])
    return f"{image.repository}@{answer.headers['Docker-Content-Digest']}"


def fault_of(command: Sequence[str]) -> str:
    """What a tool finds wrong; nothing if it finds nothing."""
    done = subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE)
    return f"{command}: {done.stdout[-500:]}{done.stderr[-500:]}" if done.returncode else ""

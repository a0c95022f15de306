"""`twistd nixery-storage`: a registry of what another has built, on a machine without Nix."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from nixery.images.digest import Digest
from tests.integration.clients import copied
from tests.integration.conftest import need
from tests.integration.daemon import PROJECT, SECONDS, Daemon, running
from tests.integration.places import PLACES

NAME = "shell/hello"


@pytest.fixture
def built(packages: Path, tmp_path: Path) -> Path:
    """A storage that a builder has filled, and left."""
    with running(tmp_path / "builder", NIXERY_PKGS_PATH=str(packages), NIXERY_CATALOG="yes") as builder:
        assert builder.pull(NAME, "v1").status == 200
        assert builder.pull("nano").status == 200
        return builder.storage


@pytest.fixture
def reader(built: Path, packages: Path, tmp_path: Path) -> Iterator[Daemon]:
    """A reader of that storage, which can start no program, and has no package set."""
    packages.rename(tmp_path / "elsewhere")
    settings = {"NIXERY_PKGS_PATH": str(packages), "STORAGE_PATH": str(built), "PATH": "", "NIXERY_CATALOG": "yes"}
    for path in [built, *built.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with running(tmp_path / "reader", "nixery-storage", **settings) as reader:
        yield reader


def held(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """All that is in a folder, and when each was last written."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.stat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path)] = (status.st_mtime_ns, status.st_ino, content)
    return found


def test_what_was_built_is_pulled_by_tag_and_by_digest_and_nothing_changes(
    reader: Daemon, built: Path, tmp_path: Path
) -> None:
    need("skopeo")
    before = held(built)
    config = copied(f"127.0.0.1:{reader.port}/{NAME}:latest", tmp_path / "by-tag")
    digest = reader.pull(NAME).headers["Docker-Content-Digest"]
    assert copied(f"127.0.0.1:{reader.port}/{NAME}@{digest}", tmp_path / "by-digest") == config
    assert config["config"]["Cmd"] == ["bash"]
    assert held(built) == before
    assert not (reader.folder / "state").exists()


def test_what_is_not_there_says_where_to_get_it(reader: Daemon) -> None:
    for answer in (reader.pull("hello"), reader.pull(NAME, str(Digest.of(b"nothing")))):
        assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")
        assert "this registry only serves what is stored: pull it from one that builds" in answer.error["message"]
    assert reader.blob(str(Digest.of(b"nothing"))).error["code"] == "BLOB_UNKNOWN"


def test_a_manifest_whose_layer_is_gone_is_not_served(reader: Daemon, built: Path) -> None:
    answer = reader.pull(NAME)
    (built / "layers").chmod(0o755)
    (built / "layers" / answer.layers[0].removeprefix("sha256:")).unlink()
    assert reader.pull(NAME).status == 404
    assert reader.pull(NAME, answer.headers["Docker-Content-Digest"]).status == 404


def test_names_are_those_that_were_pulled_where_images_are_built(reader: Daemon) -> None:
    reader.pull(NAME)
    assert json.loads(reader.ask("/v2/_catalog").body) == {"repositories": ["nano", NAME]}
    assert json.loads(reader.ask(f"/v2/{NAME}/tags/list").body)["tags"] == ["latest"]


def test_it_ends_in_peace(reader: Daemon) -> None:
    assert reader.pull(NAME, method="HEAD").status == 200
    assert reader.stop() == -signal.SIGTERM
    assert b"Server Shut Down" in reader.log
    assert b"Traceback" not in reader.log
    assert os.listdir(reader.folder) == ["bin"]


@pytest.mark.parametrize("kind", ["s3", "gcs"])
def test_a_bucket_is_read_and_verified_and_not_written(kind: str, packages: Path, tmp_path: Path) -> None:
    need("skopeo")
    with PLACES[kind](tmp_path) as place:
        settings = {**place.settings, "NIXERY_PKGS_PATH": str(packages)}
        with running(tmp_path / "builder", **settings) as builder:
            digest = builder.pull(NAME).headers["Docker-Content-Digest"]
        before = place.names()
        with running(tmp_path / "reader", "nixery-storage", **settings, PATH="") as reader:
            copied(f"127.0.0.1:{reader.port}/{NAME}", tmp_path / "by-tag")
            copied(f"127.0.0.1:{reader.port}/{NAME}@{digest}", tmp_path / "by-digest")
        assert verified(settings) == (0, "nothing wrong")
        assert place.names() == before
        layer = next(name for name in before if name.startswith("layers/"))
        place.put(layer, b"damaged")
        assert verified(settings)[0] == 1


def verified(settings: Mapping[str, str]) -> tuple[int, str]:
    """The status of nixery-storage verify, and what it says of all."""
    command = (sys.executable, "-m", "nixery.commands.storage", "verify")
    environment = {"PATH": "", "HOME": "/nonexistent", "PYTHONPATH": str(PROJECT), **settings}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, done.stdout.splitlines()[-1].rpartition(": ")[2]

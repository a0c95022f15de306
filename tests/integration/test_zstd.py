"""Zstd layers (NIXERY_COMPRESSION=zstd), as real clients take them. docs/compression.md says which do."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.client_commands import Image
from tests.integration.clients import copied, podman_in
from tests.integration.conftest import HERE, need
from tests.integration.daemon import Daemon, running
from tests.integration.engines import dockerd
from tests.integration.seven_clients import KINDS, carried_out, digests, started
from tests.integration.test_validate import validate

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"


@pytest.fixture(scope="module")
def packages(folder: Path) -> Path:
    (folder / "set").mkdir()
    shutil.copy(HERE / "settings.nix", folder / "set" / "default.nix")
    return folder / "set"


@pytest.fixture(scope="module")
def registry(folder: Path, packages: Path) -> Iterator[Daemon]:
    with running(folder / "daemon", NIXERY_PKGS_PATH=str(packages), NIXERY_COMPRESSION="zstd") as daemon:
        yield daemon


@pytest.mark.parametrize("name", KINDS)
def test_clients_pull_it_and_docker_from_23_on(name: str, registry: Daemon, folder: Path) -> None:
    need(*KINDS[name].programs)
    if name in ("podman", "buildah", "containerd", "docker") and os.geteuid() != 0:
        pytest.skip("the engines need root")
    image = Image(f"127.0.0.1:{registry.port}", "tell")
    with started(name, folder) as making:
        client = making(folder / f"pull-{name}")
        came = carried_out(client.pull(image), client.folder)
    if name == "docker" and _docker_version() < 23:
        assert not came.well
        assert "failed to register layer" in came.text
    else:
        assert came.well, came.text
        assert digests(registry, image)[0] in came.last


def test_an_older_docker_pulls_the_docker_manifest_by_its_digest(registry: Daemon, folder: Path) -> None:
    need(*KINDS["docker"].programs)
    if os.geteuid() != 0:
        pytest.skip("the engines need root")
    digest = registry.ask("/v2/tell/manifests/latest", Accept=DOCKER).headers["Docker-Content-Digest"]
    reference = f"127.0.0.1:{registry.port}/tell@{digest}"
    with dockerd(folder / "older") as server:
        pull = ("docker", "-H", f"unix://{server}", "pull", "-q", reference)
        came = carried_out((pull,), folder / "older-home")
    assert came.well, came.text


def test_skopeo_keeps_it_in_a_layout(registry: Daemon, tmp_path: Path) -> None:
    need("skopeo")
    copied(f"127.0.0.1:{registry.port}/tell", tmp_path / "layout", "--preserve-digests")
    index = json.loads((tmp_path / "layout/index.json").read_text())
    manifest = index["manifests"][0]["digest"]
    assert manifest == registry.pull("tell").headers["Docker-Content-Digest"]
    body = json.loads((tmp_path / "layout/blobs" / manifest.replace(":", "/")).read_bytes())
    assert {layer["mediaType"] for layer in body["layers"]} == {ZSTD}


def test_podman_runs_it(registry: Daemon, folder: Path) -> None:
    need("podman", "runc")
    if os.geteuid() != 0:
        pytest.skip("the engines need root")
    (folder / "run").mkdir()
    with podman_in(folder / "run") as podman:
        assert podman.run(f"127.0.0.1:{registry.port}/tell", "tell", "me") == "tell: me\n"


def test_nixery_validate_finds_every_blob_valid(registry: Daemon) -> None:
    done = validate("-v", f"127.0.0.1:{registry.port}/tell")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "(OCI): the diff ID of layer 2 is that of its tar" in done.stdout


def test_an_image_that_was_packed_before_is_not_packed_again(tmp_path: Path, packages: Path) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages)) as daemon:
        plain, docker = daemon.pull("tell"), daemon.ask("/v2/tell/manifests/latest", Accept=DOCKER)
        written = {digest: _written(daemon, digest) for digest in plain.layers}
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages), NIXERY_COMPRESSION="zstd") as daemon:
        packed = daemon.pull("tell")
        assert json.loads(packed.body)["config"] == json.loads(plain.body)["config"]
        assert not set(packed.layers) & set(plain.layers)
        assert daemon.ask("/v2/tell/manifests/latest", Accept=DOCKER).body == docker.body
        for digest in packed.layers + plain.layers:
            assert daemon.blob(digest).status == 200
        for lost in packed.layers:
            _file(daemon, lost).unlink()
        assert daemon.pull("tell", packed.headers["Docker-Content-Digest"]).body == packed.body
        assert [daemon.blob(digest).status for digest in packed.layers] == [200] * len(packed.layers)
        assert {digest: _written(daemon, digest) for digest in plain.layers} == written


def _written(daemon: Daemon, digest: str) -> int:
    """When a blob's file was written."""
    return _file(daemon, digest).stat().st_mtime_ns


def _file(daemon: Daemon, digest: str) -> Path:
    return daemon.storage / "layers" / digest.removeprefix("sha256:")


def _docker_version() -> int:
    said = subprocess.run(("dockerd", "--version"), check=True, capture_output=True, text=True).stdout
    return int(re.findall(r"version (\d+)", said)[0])

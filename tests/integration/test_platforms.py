"""A tag for several platforms, as clients see it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixery.images.index import LEFT_OUT, IndexFormat
from tests.integration.clients import skopeo
from tests.integration.conftest import need
from tests.integration.daemon import Daemon, running

INDEX = IndexFormat.OCI.value


@pytest.fixture
def daemon(tmp_path: Path, packages: Path) -> Iterator[Daemon]:
    text = (packages / "default.nix").read_text()
    only = """
  only = if system == "x86_64-linux" then hello else hello // {
    outPath = throw "no"; drvPath = throw "no"; meta = { unsupported = true; };
  };
  breaks = package "breaks-${salt}" (if system == "x86_64-linux" then "mkdir $out" else "exit 1");
"""
    (packages / "default.nix").write_text(text.replace("rec {", "rec {" + only, 1))
    settings = {"NIXERY_PKGS_PATH": str(packages), "NIXERY_PLATFORMS": "linux/amd64,linux/arm64"}
    with running(tmp_path / "daemon", **settings) as daemon:
        yield daemon


def index(daemon: Daemon, name: str) -> dict[str, object]:
    answer = daemon.ask(f"/v2/{name}/manifests/latest", Accept=INDEX)
    assert (answer.status, answer.headers["Content-Type"]) == (200, INDEX), answer.body
    value: dict[str, object] = json.loads(answer.body)
    return value


def copy(daemon: Daemon, name: str, layout: Path, *options: str) -> None:
    need("skopeo")
    source = f"docker://127.0.0.1:{daemon.port}/{name}"
    skopeo(*options, "copy", "--src-tls-verify=false", "--multi-arch=all", source, f"oci:{layout}")


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_each_platform_is_chosen_by_a_client_that_wants_it(daemon: Daemon, tmp_path: Path, architecture: str) -> None:
    need("skopeo")
    image = f"docker://127.0.0.1:{daemon.port}/hello"
    inspected = skopeo("--override-arch", architecture, "inspect", "--tls-verify=false", image)
    assert json.loads(inspected)["Architecture"] == architecture


def test_all_of_an_index_can_be_copied(daemon: Daemon, tmp_path: Path) -> None:
    copy(daemon, "hello", tmp_path / "all")
    blobs = {path.name for path in (tmp_path / "all" / "blobs" / "sha256").iterdir()}
    for entry in index(daemon, "hello")["manifests"]:  # type: ignore[attr-defined]  # JSON
        assert entry["digest"].removeprefix("sha256:") in blobs
    assert len(daemon.calls) == 2


def test_a_platform_that_a_package_does_not_have_is_left_out_and_named(daemon: Daemon) -> None:
    found = index(daemon, "only")
    assert [entry["platform"]["architecture"] for entry in found["manifests"]] == ["amd64"]  # type: ignore[attr-defined]
    assert "only is not available for this platform" in found["annotations"][LEFT_OUT + "linux/arm64"]  # type: ignore[index]
    assert index(daemon, "only") == found


def test_a_platform_whose_build_fails_fails_the_index(daemon: Daemon) -> None:
    answer = daemon.ask("/v2/breaks/manifests/latest", Accept=INDEX)
    assert (answer.status, answer.error["code"]) == (500, "UNKNOWN")
    assert daemon.ask("/v2/amd64/breaks/manifests/latest").status == 200

"""Clients that are sent to a bucket for blobs, or get them by way of the daemon."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.client_commands import Image
from tests.integration.conftest import need
from tests.integration.daemon import Daemon, package_set, running
from tests.integration.places import PLACES
from tests.integration.seven_clients import KINDS, carried_out, digests, started

WAYS = [("s3", "redirect"), ("gcs", "redirect"), ("s3", "proxy"), ("gcs", "proxy")]


@pytest.fixture(scope="module")
def set_of_packages(folder: Path) -> Path:
    return package_set(folder / "packages", "pulled from buckets")


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def registry(folder: Path, set_of_packages: Path, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    place, way = request.param
    with ExitStack() as stack:
        home = folder / f"{place}-{way}"
        home.mkdir()
        settings = stack.enter_context(PLACES[place](home)).settings
        daemon = running(home / "daemon", **settings, NIXERY_BLOBS=way, NIXERY_PKGS_PATH=str(set_of_packages))
        yield stack.enter_context(daemon)


@pytest.mark.parametrize("name", KINDS)
def test_clients_pull_an_image(name: str, registry: Daemon, folder: Path) -> None:
    need(*KINDS[name].programs)
    if name in ("podman", "buildah", "containerd", "docker") and os.geteuid() != 0:
        pytest.skip("the engines need root")
    image = Image(f"127.0.0.1:{registry.port}", "shell/hello")
    home = folder / str(registry.port)
    with started(name, home) as making:
        client = making(home / f"pull-{name}")
        came = carried_out(client.pull(image), client.folder)
    assert came.well, came.text
    assert digests(registry, image)[0] in came.last

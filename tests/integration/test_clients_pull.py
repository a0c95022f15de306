"""Each of the seven clients pulls an image and finds the registry's digest; scripts/client-matrix shows more."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixery import errors
from tests.integration.client_commands import Image
from tests.integration.client_errors import seen
from tests.integration.client_faults import ELSEWISE, OF_BRANCH, OF_FOLDER, UNMET
from tests.integration.conftest import need
from tests.integration.cutting_proxy import cutting
from tests.integration.daemon import Daemon, package_set, running
from tests.integration.seven_clients import KINDS, Making, carried_out, digests, started

SHOWING = [name for name in KINDS if name != "containerd"]
"""Those that show what a 404 says."""


@pytest.fixture(scope="module")
def registry(folder: Path) -> Iterator[Daemon]:
    packages = package_set(folder / "set", folder.name)
    with running(folder / "daemon", NIXERY_PKGS_PATH=str(packages)) as daemon:
        yield daemon


@pytest.fixture(scope="module", params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    need(*KINDS[name].programs)
    if name in ("podman", "buildah", "containerd", "docker") and os.geteuid() != 0:
        pytest.skip("the engines need root")
    return name


@pytest.fixture(scope="module")
def making(name: str, folder: Path) -> Iterator[Making]:
    with started(name, folder) as making:
        yield making


def test_it_pulls_what_the_registry_serves(making: Making, name: str, registry: Daemon, folder: Path) -> None:
    image = Image(f"127.0.0.1:{registry.port}", "hello")
    client = making(folder / f"pull-{name}")
    came = carried_out(client.pull(image), client.folder)
    assert came.well, came.text
    assert any(digest in came.last for digest in digests(registry, image)[:2]), came.last


def test_it_prints_what_is_wrong(making: Making, name: str, registry: Daemon, folder: Path) -> None:
    image = Image(f"127.0.0.1:{registry.port}", "hallo")
    client = making(folder / f"error-{name}")
    came = carried_out(client.pull(image), client.folder)
    assert came.status
    shown = seen("hallo is not in the package set: did you mean hello", came.text)
    assert shown == ("all" if name in SHOWING else "none"), came.text


@pytest.mark.parametrize("name", ["containerd", "regctl"], indirect=True)
def test_what_was_cut_goes_on_by_range(making: Making, name: str, registry: Daemon, folder: Path) -> None:
    with cutting(registry.port) as cuts:
        client = making(folder / f"cut-{name}")
        came = carried_out(client.pull(Image(f"127.0.0.1:{cuts.port}", "big")), client.folder)
    assert came.well, came.text
    assert cuts.ranges[0] in (None, "bytes=0-")
    assert re.fullmatch(r"bytes=[1-9]\d{5,}-\d*", cuts.ranges[1] or ""), cuts.ranges


def test_each_error_is_shown_to_clients_or_met_by_none() -> None:
    shown = {fault.error for fault in (*OF_BRANCH.values(), *OF_FOLDER.values())}
    families = {errors.NixeryError, errors.Unavailable}
    known = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.NixeryError)}
    assert known == shown | families | set(ELSEWISE.values()) | set(UNMET)

"""Daemons that are killed at any moment: nothing is half done. NIXERY_CRASHES=200 has them killed more often."""

import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from tests.integration import versitygw
from tests.integration.conftest import need
from tests.integration.crashes import Crashes
from tests.integration.daemon import running
from tests.integration.stored import explained, many_images, verified

KILLS = int(os.environ.get("NIXERY_CRASHES", "20"))
"""In all."""

MOST_WAITED_FOR = 50


@frozen
class Place:
    """Settings of a daemon, its folder with blobs, and that with what is being written."""

    settings: dict[str, str]
    layers: Path
    staging: Path


@contextmanager
def filesystem(folder: Path) -> Iterator[Place]:
    yield Place({"STORAGE_PATH": str(folder / "stored")}, folder / "stored/layers", folder / "stored/staging")


@contextmanager
def s3(folder: Path) -> Iterator[Place]:
    need("versitygw")
    with versitygw.serving(folder / "s3") as gateway:
        settings = {"NIXERY_STORAGE_BACKEND": "s3", **versitygw.ENVIRONMENT, **gateway.bucket("images")}
        yield Place(settings, gateway.folder / "images/layers", folder / "daemon/state/spool")


PLACES = {"filesystem": filesystem, "s3": s3}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[bool]]]:
    """All places side by side, as most of it is waiting: whether a turn of a dead daemon had to be waited for."""
    with ThreadPoolExecutor(len(PLACES)) as threads:
        yield {name: threads.submit(killed, name, tmp_path_factory.mktemp(name)) for name in PLACES}


def killed(name: str, folder: Path) -> bool:
    packages = many_images(folder / "packages")
    began = time.monotonic()
    with PLACES[name](folder) as place:
        settings = {"NIXERY_PKGS_PATH": str(packages), "NIXERY_MAX_LAYERS": "2", **place.settings}
        with running(folder / "daemon", **settings) as daemon, explained(daemon):
            crashes = Crashes(daemon, place.layers, place.staging)
            for _ in range(KILLS // len(PLACES)):
                crashes.happen()
            crashes.pull_all(MOST_WAITED_FOR)
            waited = b"is silent; it is taken over" in daemon.log
        words = verified(folder / "daemon/state", place.settings)
    print(f"{name}: {time.monotonic() - began:.0f} s; {dict(crashes.figures)}; {words}")
    return waited


@pytest.mark.parametrize("name", PLACES)
def test_a_daemon_that_is_killed_at_any_moment_leaves_nothing_half_done(
    outcomes: Mapping[str, Future[bool]], name: str
) -> None:
    assert outcomes[name].result(), "no kill came while an image was made"

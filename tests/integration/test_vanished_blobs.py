"""An image whose blobs somebody removed from the storage is made again by the next pull, wherever it is stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nixery.images.digest import Digest
from tests.integration.daemon import Daemon, eventually, running
from tests.integration.places import PLACES, Place, followed

WAYS = [("folder", ""), ("s3", "redirect"), ("s3", "proxy"), ("gcs", "redirect"), ("gcs", "proxy")]
"""Where blobs are, and by which way clients get them."""


@pytest.fixture(params=WAYS, ids=["-".join(filter(None, way)) for way in WAYS])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Place, dict[str, str]]]:
    kind, blobs = request.param
    with PLACES[kind](tmp_path) as place:
        yield place, {**place.settings, **({"NIXERY_BLOBS": blobs} if blobs else {})}


@pytest.fixture
def stored(tmp_path: Path, packages: Path, place: tuple[Place, dict[str, str]]) -> Iterator[tuple[Place, Daemon]]:
    with running(tmp_path / "daemon", **place[1], NIXERY_PKGS_PATH=str(packages)) as daemon:
        yield place[0], daemon


def is_whole(daemon: Daemon, layers: list[str]) -> bool:
    answers = [followed(daemon.blob(layer)) for layer in layers]
    return [(answer.status, str(Digest.of(answer.body))) for answer in answers] == [(200, layer) for layer in layers]


def test_what_vanished_while_nobody_ran_is_missed_at_the_next_start(stored: tuple[Place, Daemon]) -> None:
    place, daemon = stored
    image = daemon.pull("hello")
    daemon.stop()
    place.remove(f"layers/{image.layers[0].removeprefix('sha256:')}")
    daemon.start()
    assert daemon.pull("hello").body == image.body
    assert is_whole(daemon, image.layers)
    assert len(daemon.calls) == 2


def test_all_that_vanished_while_nobody_ran_is_made_again(stored: tuple[Place, Daemon]) -> None:
    place, daemon = stored
    image = daemon.pull("hello")
    daemon.stop()
    for name in place.names():
        if name.startswith("layers/"):
            place.remove(name)
    daemon.start()
    digest = image.headers["Docker-Content-Digest"]
    assert daemon.pull("hello", digest).body == image.body, "by the recipe"
    assert is_whole(daemon, image.layers)


def test_what_vanished_under_a_running_daemon_is_missed_when_it_is_asked_for(stored: tuple[Place, Daemon]) -> None:
    place, daemon = stored
    image = daemon.pull("hello")
    lost = image.layers[0]
    assert is_whole(daemon, [lost])
    place.remove(f"layers/{lost.removeprefix('sha256:')}")
    assert eventually(lambda: daemon.blob(lost).status == 404), "when it was last seen seconds ago"
    assert daemon.blob(lost).error["code"] == "BLOB_UNKNOWN"
    assert daemon.pull("hello").body == image.body
    assert is_whole(daemon, image.layers)
    assert len(daemon.calls) == 2

"""Disks that are full: each says so, nothing is half stored, and all is well when there is space again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration import versitygw
from tests.integration.conftest import need
from tests.integration.daemon import Daemon, running
from tests.integration.stored import blobs_of, fetched, verified

MEBIBYTES = 48
"""More than the largest image takes."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    need("mount", "umount")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m", "tmpfs", folder)
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[dict[str, str]]:
    need("versitygw")
    with versitygw.serving(tmp_path / "s3") as gateway:
        yield {"NIXERY_STORAGE_BACKEND": "s3", **versitygw.ENVIRONMENT, **gateway.bucket("images")}


@contextmanager
def filled(folder: Path, left: int) -> Iterator[None]:
    """Meanwhile, the disk has room for so many MiB more."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(65536))
                file.flush()
        except OSError:
            file.truncate(max(0, file.tell() - (left << 20)))
    yield
    ballast.unlink()


def is_whole(daemon: Daemon, name: str) -> None:
    answer = daemon.pull(name)
    assert answer.status == 200, answer
    for digest in blobs_of(answer.body):
        fetched(daemon, digest)


def is_refused(daemon: Daemon, name: str) -> None:
    answer = daemon.pull(name)
    assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE")
    assert "No space left on device" in answer.error["message"]
    assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture(params=["storage", "spool"])
def settings(request: pytest.FixtureRequest, small_disk: Path, packages: Path) -> dict[str, str]:
    """A daemon's whose storage folder is on the small disk, or its state with what is on its way into a bucket."""
    if request.param == "storage":
        place = {"STORAGE_PATH": str(small_disk)}
    else:
        place = {"STATE_DIRECTORY": str(small_disk), **request.getfixturevalue("bucket")}
    return {"NIXERY_PKGS_PATH": str(packages), **place}


def test_a_full_disk_is_said_and_leaves_nothing_half_stored(
    tmp_path: Path, small_disk: Path, settings: dict[str, str]
) -> None:
    with running(tmp_path / "daemon", **settings) as daemon:
        is_whole(daemon, "hello")
        with filled(small_disk, 8):
            is_refused(daemon, "big")
            is_whole(daemon, "other")
        with filled(small_disk, 0):
            is_whole(daemon, "hello")
            is_refused(daemon, "nano")
            daemon.stop()
            daemon.start()
            is_whole(daemon, "hello")
        assert [path for path in small_disk.glob("*/daemon-*/*") if path.name != ".lock" and path.is_file()] == []
        is_whole(daemon, "big")
    assert verified(tmp_path / "reader", settings).endswith("nothing wrong")

"""The wheel, built from a source distribution and used away from the checkout."""

import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon import PROJECT, Daemon, running

_NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "var", "dropin.cache")


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that is built from it. The checkout stays as it is."""
    folder = tmp_path_factory.mktemp("distributions")
    shutil.copytree(PROJECT, folder / "source", ignore=_NOT_SOURCE)
    run(sys.executable, "-m", "build", "--outdir", folder, folder / "source")
    return folder


@pytest.fixture(scope="session")
def installed(distributions: Path) -> Path:
    """The programs of a new virtual environment that has the wheel."""
    run(sys.executable, "-m", "venv", distributions / "venv")
    programs = distributions / "venv" / "bin"
    run(programs / "pip", "install", "--quiet", "--disable-pip-version-check", next(distributions.glob("*.whl")))
    return programs


@pytest.fixture
def daemon(tmp_path: Path, packages: Path, installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon of the wheel's."""
    monkeypatch.setattr("tests.integration.daemon._twistd", lambda: str(installed / "twistd"))
    settings = {"NIXERY_PKGS_PATH": str(packages), "NIXERY_STORAGE_BACKEND": "memory", "PYTHONPATH": ""}
    with running(tmp_path / "daemon", **settings) as daemon:
        yield daemon


def run(*command: str | Path) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def files(folder: Path, *patterns: str) -> set[str]:
    found = (path for pattern in patterns for path in folder.rglob(pattern))
    return {str(path.relative_to(PROJECT)) for path in found if path.is_file() and "__pycache__" not in path.parts}


def test_the_wheel_has_all_of_the_package_and_the_plugins(distributions: Path) -> None:
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == files(PROJECT / "nixery", "*") | files(PROJECT / "twisted", "nixery_*.py")


def test_the_source_distribution_can_be_worked_on(distributions: Path) -> None:
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert files(PROJECT / "tests", "*") | files(PROJECT / "scripts", "*") <= held
    assert {"README.md", "CONTRIBUTING.md", "pyproject.toml", "nix/package.nix", "systemd/nixery.service"} <= held


def test_an_installed_daemon_builds_an_image_and_ends_when_told(daemon: Daemon) -> None:
    assert daemon.ask("/v2/").status == 200
    assert daemon.ask("/").status == 200
    image = daemon.pull("shell/hello")
    assert image.status == 200
    assert all(daemon.blob(layer).status == 200 for layer in image.layers)
    assert daemon.stop(signal.SIGTERM) == -signal.SIGTERM, "twistd ends by the signal that told it to"
    assert b"Server Shut Down" in daemon.log
    assert b"Traceback" not in daemon.log
    assert str(PROJECT).encode() not in daemon.log


def test_twistd_lists_the_plugin(installed: Path) -> None:
    assert "nixery" in run(installed / "twistd", "--help")
    assert "--nixery-pkgs-path=" in run(installed / "twistd", "nixery", "--help")


def test_the_commands_are_there(installed: Path) -> None:
    assert "OUT" in run(installed / "nixery-debian-index", "--help")


def test_without_a_package_set_it_ends_with_one_line_that_says_what_to_set(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "twistd", "-n", "--pidfile=", "nixery"],
        env={"PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "NIXERY_PKGS_PATH" in done.stderr

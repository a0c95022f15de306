import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.clients import unmount_all
from tests.integration.daemon import PROJECT, Daemon, package_set, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


def need(*programs: str) -> None:
    """Skip a test whose real parts are not on this machine; in CI that is an error."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing in CI: {', '.join(missing)}; scripts/test installs them")
    if missing:
        pytest.skip(f"needs {', '.join(missing)}; scripts/test installs them")


@pytest.fixture(autouse=True, scope="session")
def nix() -> None:
    need("nix-build", "nix-store", "setsid", "setpriv")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """With a path that is short, as engines have sockets in it; what they leave mounted there is unmounted."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        unmount_all(Path(folder))


@pytest.fixture
def salt() -> str:
    """A word that no earlier test has used."""
    return uuid.uuid4().hex


@pytest.fixture
def packages(tmp_path: Path, salt: str) -> Path:
    return package_set(tmp_path / "packages", salt)


@pytest.fixture
def daemon(tmp_path: Path, packages: Path) -> Iterator[Daemon]:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages)) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def debian_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of Debian's packages, of apt's lists on this host: it takes half a minute."""
    need("apt-get", "dpkg-deb")
    folder = tmp_path_factory.mktemp("debian") / "index"
    command = (sys.executable, "-m", "nixery.commands.debian_index", str(folder), "--arch", "amd64", "--arch", "arm64")
    subprocess.run(command, check=True, cwd=PROJECT, timeout=600)
    return folder

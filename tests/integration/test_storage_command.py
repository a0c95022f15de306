"""The command nixery-storage over a folder, as a user runs it: it reads all of it and leaves it as it is."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.auditing.world import Stored
from tests.integration.daemon import PROJECT, SECONDS, eventually

case = SynchronousTestCase()


def command(folder: Path, *argv: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "STORAGE_PATH": str(folder), "HOME": "/nonexistent"}
    return subprocess.Popen(
        [sys.executable, "-m", "nixery.commands.storage", *argv],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A storage in a folder that cannot be written."""
    stored = case.successResultOf(Deferred.fromCoroutine(Stored().fill())).storage
    for digest, data in stored.blobs.items():
        write(tmp_path / "layers" / digest.hex, data)
    for name, data in stored.records.items():
        write(tmp_path / name, data)
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return tmp_path


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def listed(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")])


@pytest.mark.parametrize("argv", [["verify"], ["stats", "--json"]])
def test_a_folder_is_looked_at_and_left_as_it_is(folder: Path, argv: list[str]) -> None:
    before = listed(folder)
    told = command(folder, *argv).communicate(timeout=SECONDS)
    assert told[1] == ""
    assert "12" in told[0]
    assert listed(folder) == before


def test_an_interrupt_ends_it_when_the_blob_under_way_is_read(folder: Path) -> None:
    (folder / "layers").chmod(0o755)
    blob = folder / "layers" / ("0" * 64)
    with open(blob, "wb") as sparse:
        sparse.truncate(1 << 30)  # seconds
    process = command(folder, "verify")
    try:
        assert eventually(lambda: reads(process.pid, blob))
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=SECONDS)[1].endswith("nixery-storage: interrupted\n")
        assert process.returncode == 130
    finally:
        process.kill()


def reads(pid: int, file: Path) -> bool:
    with suppress(FileNotFoundError):  # closed meanwhile
        return any(os.readlink(entry) == str(file) for entry in Path(f"/proc/{pid}/fd").iterdir())
    return False

"""`twistd nixery` as an init script would have it: in the background, with a pid file and a log file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.daemon import NIX_CONFIG, PROJECT, Daemon, eventually


def test_it_runs_in_the_background_and_ends_on_term(tmp_path: Path, packages: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(PROJECT),
        "NIX_CONFIG": NIX_CONFIG,
        "NIXERY_PKGS_PATH": str(packages),
    }
    twistd = Path(sys.executable).with_name("twistd")
    endpoint = f"unix:{tmp_path}/socket"
    command = [str(twistd), "--pidfile=pid", "--logfile=log", "nixery", "--listen", endpoint]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=60)
    assert eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "socket").exists())
    try:
        assert Daemon(tmp_path, {}, socket=f"{tmp_path}/socket").pull("hello").status == 200
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    assert eventually(lambda: not (tmp_path / "pid").exists())
    assert "Server Shut Down" in (tmp_path / "log").read_text()

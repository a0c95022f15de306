"""An SSH server, Debian's openssh-server, on a port and with keys of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.integration.go_server import free_port


@frozen
class Ssh:
    """A running sshd, and the command by which git reaches it: with the key that it knows, or another."""

    port: int
    right: str
    wrong: str

    def url(self, path: Path) -> str:
        return f"ssh://{os.environ.get('USER', 'root')}@127.0.0.1:{self.port}{path}"


@contextmanager
def sshd(folder: Path) -> Iterator[Ssh]:
    """A server that runs meanwhile; `folder`: for its keys and its configuration."""
    folder.mkdir()
    port = free_port()
    _make_keys(folder, port)
    _configure(folder, port)
    program = shutil.which("sshd")
    assert program is not None
    with subprocess.Popen((program, "-D", "-e", "-f", folder / "config"), stderr=subprocess.PIPE, text=True) as daemon:
        try:
            assert daemon.stderr is not None
            assert "listening" in daemon.stderr.readline()
            yield Ssh(port, _ssh(folder, "right"), _ssh(folder, "wrong"))
        finally:
            daemon.terminate()


def _make_keys(folder: Path, port: int) -> None:
    for name in ("host", "right", "wrong"):
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)), check=True)
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")


def _configure(folder: Path, port: int) -> None:
    keys = {"HostKey": folder / "host", "AuthorizedKeysFile": folder / "right.pub"}
    allowed = {"StrictModes": "no", "UsePAM": "no", "PermitRootLogin": "yes"}
    lines = {"ListenAddress": f"127.0.0.1:{port}", "PidFile": "none", **keys, **allowed}
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it as root; without systemd nobody has made it


def _ssh(folder: Path, key: str) -> str:
    options = f"-o IdentitiesOnly=yes -o IdentityAgent=none -o UserKnownHostsFile={folder / 'known'}"
    return f"ssh -F none -i {folder / key} {options}"

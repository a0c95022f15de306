"""What the seven clients print for each of the registry's errors."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen

from tests.integration.client_commands import Client, Image
from tests.integration.daemon import Answer, Daemon, eventually, package_set, running
from tests.integration.seven_clients import Came, Making, carried_out

PATIENCE = 30
"""Seconds that a client may go on trying."""

ASKED = {
    "no such package": ("hallo", "latest"),
    "not free": ("unfree", "latest"),
    "does not build": ("fails", "latest"),
    "still building": ("hangs", "latest"),
    "not a good name": ("arm64/amd64/hello", "latest"),
    "no such tag": ("hello", "no-such-branch"),
}

_IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org")


@frozen
class Said:
    """What the registry answers, as `status CODE: message`, and what each client prints."""

    answer: str
    message: str
    printed: Mapping[str, Came]


def ask_all(makings: Mapping[str, Making], folder: Path) -> dict[str, Said]:
    """Each error, shown to each client."""
    said = {}
    with running(folder / "git", NIXERY_PKGS_REPO=str(_repository(folder)), NIXERY_HOLD="1") as daemon:
        for number, (error, (name, tag)) in enumerate(ASKED.items()):
            said[error] = _shown(daemon, Image(f"127.0.0.1:{daemon.port}", name, tag), makings, folder / f"e{number}")
    packages = package_set(folder / "gone", folder.name)
    with running(folder / "path", NIXERY_PKGS_PATH=str(packages)) as daemon:
        said["stopping"] = _stopping(daemon, makings, folder / "s")
        daemon.start()
        shutil.rmtree(packages)
        said["not available"] = _shown(daemon, Image(f"127.0.0.1:{daemon.port}", "hello"), makings, folder / "u")
    return said


def _shown(daemon: Daemon, image: Image, makings: Mapping[str, Making], folder: Path) -> Said:
    answer = daemon.pull(image.name, image.tag)
    printed = {name: _pull(making(folder / name), image) for name, making in makings.items()}
    return _said(answer, printed)


def _stopping(daemon: Daemon, makings: Mapping[str, Making], folder: Path) -> Said:
    """The daemon is told to end while the client waits."""
    printed: dict[str, Came] = {}
    with ThreadPoolExecutor(1) as thread:
        for name, making in makings.items():
            pull = thread.submit(_pull, making(folder / name), Image(f"127.0.0.1:{daemon.port}", "hangs"))
            assert eventually(lambda: len(daemon.calls) == len(printed) + 1)
            daemon.stop()
            printed[name] = pull.result()
            daemon.start()
        answer = thread.submit(daemon.pull, "hangs")
        assert eventually(lambda: len(daemon.calls) > len(makings))
        daemon.stop()
        return _said(answer.result(), printed)


def _pull(client: Client, image: Image) -> Came:
    return carried_out(client.pull(image), client.folder, PATIENCE)


def _said(answer: Answer, printed: Mapping[str, Came]) -> Said:
    error = answer.error
    return Said(f"{answer.status} {error['code']}: {error['message']}", error["message"], printed)


def _repository(folder: Path) -> Path:
    packages = package_set(folder / "set", folder.name)
    for words in (("init", "-q", "-b", "main"), ("add", "."), (*_IDENTITY, "commit", "-q", "-m", "a set")):
        subprocess.run(("git", "-C", str(packages), *words), check=True)
    return packages


def seen(message: str, text: str) -> str:
    """How much of a message stands in what was printed: all of it, its beginning, or none."""
    plain = _plain(text)
    if _plain(message) in plain:
        return "all"
    return "part" if _plain(message)[:25] in plain else "none"


def _plain(text: str) -> str:
    """Without quoting and the layout of lines."""
    return re.sub(r"[\s\\\"]+", " ", text.replace("\\n", " "))

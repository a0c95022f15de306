"""What the seven clients print for each of the registry's errors."""

import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import evolve, frozen

from tests.integration.client_commands import Client, Image
from tests.integration.client_faults import OF_BRANCH, OF_FOLDER, Fault
from tests.integration.daemon import Answer, Daemon, eventually, package_set, running
from tests.integration.seven_clients import Came, Making, carried_out

PATIENCE = 30
"""Seconds that a client may go on trying."""

_AT_ONCE = 3
"""Clients."""

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
        for number, (error, fault) in enumerate(OF_BRANCH.items()):
            said[error] = _shown(daemon, fault, makings, folder / f"b{number}")
        said["pushing"] = _pushing(daemon, makings, folder / "p")
    for number, (error, fault) in enumerate(OF_FOLDER.items()):
        own = folder / f"f{number}"
        packages = package_set(folder / f"{own.name}-set", folder.name)
        with running(own, NIXERY_PKGS_PATH=str(packages), NIX_TIMEOUT="2") as daemon:
            said[error] = _shown(daemon, fault, makings, own)
    with running(folder / "path", NIXERY_PKGS_PATH=str(package_set(folder / "last", folder.name))) as daemon:
        said["stopping"] = _stopping(daemon, makings, folder / "s")
    return said


def _shown(daemon: Daemon, fault: Fault, makings: Mapping[str, Making], folder: Path) -> Said:
    fault.happens(daemon)
    answer = daemon.pull(fault.name, fault.tag)
    assert (answer.status, answer.error["code"]) == (fault.error.status, fault.error.code), answer.body
    image = Image(f"127.0.0.1:{daemon.port}", fault.name, fault.tag)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        came = threads.map(lambda name: _pull(makings[name](folder / name), image), makings)
        return _said(answer, dict(zip(makings, came, strict=True)))


def _pushing(daemon: Daemon, makings: Mapping[str, Making], folder: Path) -> Said:
    """What is answered to blobs and to manifests ends alike."""
    image = Image(f"127.0.0.1:{daemon.port}", "hello")
    printed = {}
    for name, making in makings.items():
        client = making(folder / name)
        *before, push = client.push(image)
        assert carried_out(tuple(before), client.folder).well
        printed[name] = carried_out((push,), client.folder, PATIENCE)
    said = _said(daemon.ask("/v2/hello/blobs/uploads/", "POST"), printed)
    return evolve(said, message=said.message.partition(": ")[2])


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
    """How much of a message stands in what was printed: all of it, a part, or none."""
    plain = _plain(text)
    if _plain(message) in plain:
        return "all"
    return "part" if _plain(message)[:25] in plain else "none"


def _plain(text: str) -> str:
    """Without quoting and the layout of lines."""
    return re.sub(r"[\s\\\"]+", " ", text.replace("\\n", " "))

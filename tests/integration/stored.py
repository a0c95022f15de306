"""What daemons store, looked at from outside of them."""

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from nixery.images.digest import Digest
from tests.integration.daemon import PROJECT, Answer, Daemon


def many_images(folder: Path) -> Path:
    """A copy of tests/integration/many_images.nix whose small packages nobody has built yet."""
    folder.mkdir(parents=True)
    shutil.copy(PROJECT / "tests/integration/many_images.nix", folder / "default.nix")
    (folder / "salt").write_text(uuid.uuid4().hex)
    return folder


@contextmanager
def explained(daemon: Daemon) -> Iterator[None]:
    """What goes wrong meanwhile is told with the end of the daemon's log."""
    try:
        yield
    except Exception as error:
        error.add_note(daemon.log.decode(errors="replace")[-4000:])
        raise


def fetched(daemon: Daemon, digest: str) -> bytes:
    """A blob as a client gets it, by a link where there is one; it has that digest."""
    answer = daemon.blob(digest)
    if answer.status == 307:
        with build_opener(ProxyHandler({})).open(answer.headers["Location"], timeout=20) as elsewhere:
            answer = Answer(elsewhere.status, {}, elsewhere.read())
    assert answer.status == 200, answer
    assert str(Digest.of(answer.body)) == digest
    return answer.body


def blobs_of(manifest: bytes) -> list[str]:
    """The digests of an image's config and layers."""
    value = json.loads(manifest)
    return [blob["digest"] for blob in (value["config"], *value["layers"])]


def verified(folder: Path, settings: Mapping[str, str]) -> str:
    """What nixery-storage verify says of a storage in which nothing is wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "nixery.commands.storage", "verify"],
        env={"PYTHONPATH": str(PROJECT), "STATE_DIRECTORY": str(folder), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]

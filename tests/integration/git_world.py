"""The git source with real git: a repository, its server, and sources whose calls of git are written down."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.task import Clock

from nixery.concurrency.process import Processes
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.nix.expressions import FOLDER, IMAGE
from nixery.sources.git import GitUpstream, Limits
from nixery.sources.git_program import Git
from nixery.sources.pins import Pins
from nixery.storage.memory import MemoryStorage
from tests.integration.daemon import NIX_CONFIG
from tests.integration.git_repository import Upstream, upstream
from tests.integration.git_server import GitServer, serving

LATEST = Tag("latest")
NO_HURRY = Limits()


@define
class World:
    """Sources have a clock of their own. `folder`: where they keep what they fetch."""

    folder: Path
    repository: Upstream
    server: GitServer
    clock: Clock = field(factory=Clock)

    def __attrs_post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        wrapper = self.folder / "bin" / "git"
        wrapper.write_text(f'#!/bin/sh\necho "$5" "$@" >> {self.folder}/calls\nexec {shutil.which("git")} "$@"\n')
        wrapper.chmod(0o755)

    def served(self, limits: Limits = NO_HURRY, submodules: bool = False) -> Pins:
        """A source on the repository, over HTTP."""
        return self.source(self.server.url("set"), limits, submodules)

    def source(self, url: str, limits: Limits = NO_HURRY, submodules: bool = False, **environment: str) -> Pins:
        users = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **environment}
        git = Git(self._processes(), users)
        expression, folder = str(FOLDER / "git.nix"), str(self.folder / "git")
        upstream = GitUpstream(url, git, expression, folder, self.clock, 300, limits, submodules)
        return Pins(upstream, MemoryStorage(), self.clock, 300)

    def calls(self, verb: str) -> int:
        """How many calls of git had this word."""
        path = self.folder / "calls"
        return sum(f" {verb} " in line for line in path.read_text().splitlines()) if path.exists() else 0

    def _processes(self) -> Processes:
        processes = Processes(
            reactor,  # type: ignore[arg-type]  # a module to mypy
            f"{self.folder}/bin:{os.environ['PATH']}",
            grace=0.3,
        )
        processes.startService()
        return processes


@contextmanager
def git_world(folder: Path) -> Iterator[World]:
    """A repository with one commit, and its server, which runs meanwhile."""
    repository = upstream(folder / "served" / "set")
    with serving(GitServer(repository.folder.parent)) as server:
        yield World(folder / "world", repository, server)


def build(pinned: PinnedSource) -> str:
    """What Nix makes of the package `salt`."""
    values = {
        **{"source": pinned.expression, "packages": '["salt"]', "system": "x86_64-linux"},
        "arguments": json.dumps(dict(pinned.arguments)),
    }
    words = [word for name, value in values.items() for word in ("--argstr", name, value)]
    command = ("nix-build", str(IMAGE), "--no-out-link", *words)
    environment = os.environ | {"NIX_CONFIG": NIX_CONFIG}
    built = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return Path(built.stdout.strip()).read_text().strip()

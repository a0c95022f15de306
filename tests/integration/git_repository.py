"""A git repository of the test's own."""

import os
import subprocess
from pathlib import Path

from attrs import frozen

IDENTITY = {
    **{"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_NOSYSTEM": "1"},
    **{"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"},
}
"""Environment variables: who commits, whatever this host's configuration says."""


def git(folder: Path, *words: str) -> str:
    """What git prints in a folder."""
    command = ("git", "-C", str(folder), *words)
    environment = os.environ | IDENTITY
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@frozen
class Upstream:
    """A repository whose package set has one package, `salt`."""

    folder: Path

    def git(self, *words: str) -> str:
        return git(self.folder, *words)

    def commit(self, salt: str) -> str:
        """A new commit on the current branch; gives its id."""
        (self.folder / "default.nix").write_text(
            "{ system }: { salt = derivation { name = "
            f'"salt-{salt}"; inherit system; builder = "/bin/sh"; args = [ "-c" "echo {salt} > $out" ]; }}; }}\n'
        )
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", salt)
        return self.git("rev-parse", "HEAD")


def upstream(folder: Path) -> Upstream:
    """A repository with one commit on main."""
    folder.mkdir(parents=True)
    made = Upstream(folder)
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit("first")
    return made

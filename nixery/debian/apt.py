"""Ask apt what it knows: which Packages lists it keeps, where their packages lie, and how it ranks them.

No address is written here: every URI is one of apt's own configuration, and lists that apt fetches are verified by apt.
Source: apt-get(8) "indextargets", apt.conf(5), apt_preferences(5), and doc/acquire-additional-files.md of apt.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from nixery.errors import SourceUnavailable

_FORMAT = "\t".join(["$(FILENAME)", "$(REPO_URI)", "$(ARCHITECTURE)", "$(RELEASE)", "$(DESCRIPTION)"])
_LISTS = ("shell", "folder", "Dir::State::lists/d")  # as text for a shell: folder='/var/lib/apt/lists/'
_APT_HELPER = "/usr/lib/apt/apt-helper"
_FETCHED_BY_NIX = ("http://", "https://", "file:")
_USUAL_PRIORITY = 500  # apt_preferences(5): what is neither pinned nor NotAutomatic


@frozen
class Target:
    """One Packages list on this machine.

    `base`: the URI that its Filename fields are relative to, without a slash at the end; `suite`: such as
    bookworm-security; `priority`: apt's, so that what apt would not install by itself (backports) is not taken either.
    """

    file: Path
    base: str
    suite: str
    priority: int


@frozen
class Apt:
    """The lists of the system where `configuration` is None, or the private ones that file describes."""

    configuration: Path | None = None

    def run(self, command: str, *arguments: str) -> str:
        """The output of a command of apt's family. Its warnings go to our stderr. Raises SourceUnavailable."""
        options = () if self.configuration is None else ("-c", str(self.configuration))
        return _output([command, *options, *arguments])

    def update(self) -> None:
        """Have apt fetch and verify the lists."""
        self.run("apt-get", "update", "-qq")

    def lists(self) -> str:
        """The folder in which apt keeps its lists."""
        ((_, _, folder),) = (line.partition("=") for line in self.run("apt-config", *_LISTS).splitlines())
        return os.path.normpath("".join(shlex.split(folder)))

    def targets(self, architecture: str) -> list[Target]:
        """The lists for `architecture`, in apt's order; empty where there are none."""
        lines = self.run("apt-get", "indextargets", "--format", _FORMAT, "Identifier: Packages").splitlines()
        rows = [tuple(line.split("\t")) for line in lines]
        wanted = [row for row in rows if row[2] in (architecture, "all") and row[1].startswith(_FETCHED_BY_NIX)]
        if not any(row[2] == architecture for row in wanted):
            return []
        ranks = priorities(self.run("apt-cache", "policy"))
        return [
            Target(Path(file), base.rstrip("/"), suite, ranks.get(description, _USUAL_PRIORITY))
            for file, base, _, suite, description in wanted
        ]


def private(folder: Path, architecture: str) -> Apt:
    """An apt for another architecture or with newer lists, that keeps all of its state under `folder`.

    It reads the system's sources and keys, changes nothing of the system, and needs no root.
    """
    state = folder.absolute() / "apt" / architecture
    if re.search(r'["\\\s;{}]', str(state)):
        raise SourceUnavailable(f"apt's configuration cannot name the folder {str(state)!r}; choose a plainer one")
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    configuration = state / "apt.conf"
    configuration.write_text(_CONFIGURATION.format(state=state, architecture=architecture))
    return Apt(configuration)


# The system's hooks are dropped: they are commands that clean or inform the system. A file given by -c is read after
# the system's own, so that what it clears stays cleared.
_CONFIGURATION = """\
#clear APT::Architectures;
#clear APT::Update;
#clear Acquire::IndexTargets::deb::DEP-11;
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "";
Acquire::Languages "none";
Dir::State "{state}";
Dir::State::lists "{state}/lists";
Dir::State::status "{state}/status";
Dir::Cache "{state}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""


def priorities(policy: str) -> dict[str, int]:
    """From what `apt-cache policy` prints: a list's description and its priority."""
    rows = re.findall(r"^ *(-?\d+) (\S+ \S+ \S+ Packages)$", policy, re.MULTILINE)
    return {description: int(priority) for priority, description in rows}


def lines(file: Path) -> Iterator[bytes]:
    """The lines of a list, however apt has compressed it. Raises SourceUnavailable."""
    with subprocess.Popen([_APT_HELPER, "cat-file", str(file)], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        yield from reader.stdout
    if reader.returncode != 0:
        raise SourceUnavailable(f"apt could not read {file}; run apt-get update")


def host_architecture() -> str:
    """Debian's name of this machine's architecture, such as amd64."""
    return _output(["dpkg", "--print-architecture"]).strip()


def _output(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError as error:
        raise SourceUnavailable(f"{argv[0]} is not here: the Debian package set needs Debian or Ubuntu") from error
    except subprocess.CalledProcessError as error:
        told = f"{' '.join(argv)} ended with status {error.returncode}; what it said is above"
        raise SourceUnavailable(told) from error
    return done.stdout

"""The whole way from apt's lists to an index in its place."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nixery.debian.apt import Apt, Target, host_architecture, lines, private
from nixery.debian.description import write_description, write_files
from nixery.debian.index import index
from nixery.debian.lists import lists_in
from nixery.debian.packages import Package, newest, read_packages
from nixery.debian.versions import new_version, publish
from nixery.errors import SourceUnavailable

Progress = Callable[[str, bool], None]
"""Is called with a few words, and whether they are the last on an architecture."""


def make_index(out: Path, architectures: Iterable[str], cache: Path, update: bool, progress: Progress) -> str:
    """Write the index for `architectures` at `out`; gives its pin (sha256, hexadecimal).

    `cache`: a folder for lists that apt fetches for us; `update`: fetch even where the system has lists. Raises
    SourceUnavailable without lists, ConfigError if `out` is something else.
    """
    suites: set[str] = set()
    names = sorted(set(architectures))
    made_of = lists_in(Apt().lists())  # before they are read: what changes meanwhile is newer
    with new_version(out) as folder:
        for architecture in names:
            targets = _targets(architecture, cache, update, progress)
            suites.update(target.suite for target in targets)
            packages = _read(targets, architecture, progress)
            _write(folder / architecture, packages, architecture, progress)
        pin = write_description(folder, names, suites, made_of)
        publish(folder, out, pin)
        return pin


def _targets(architecture: str, cache: Path, update: bool, progress: Progress) -> list[Target]:
    """The system's lists as they are, where there are any; else those that apt fetches."""
    own = architecture == host_architecture()
    found = [] if update else Apt().targets(architecture)
    if found:
        return found
    if own and not update:
        raise SourceUnavailable(f"apt has no lists for {architecture}: run apt-get update, or give --update")
    progress(f"{architecture}: apt fetches lists", False)
    apt = private(cache, architecture)
    try:
        apt.update()
    except SourceUnavailable as error:
        raise SourceUnavailable(f"no lists for {architecture}: {error}. {_ELSEWHERE}") from error
    if not (found := apt.targets(architecture)):
        raise SourceUnavailable(f"apt's sources have no lists for {architecture}. {_ELSEWHERE}")
    return found


_ELSEWHERE = (
    "apt reaches the sources of its own configuration only; where another host carries the architecture "
    "(Ubuntu's arm64), add a source with an Architectures field for it"
)


def _read(targets: Iterable[Target], architecture: str, progress: Progress) -> dict[str, Package]:
    packages: dict[str, Package] = {}
    for target in targets:
        progress(f"{architecture}: reading {target.suite}, {len(packages)} packages so far", False)
        packages = newest(read_packages(lines(target.file), target.base, target.priority), packages)
    return packages


def _write(folder: Path, packages: Mapping[str, Package], architecture: str, progress: Progress) -> None:
    progress(f"{architecture}: resolving {len(packages)} packages", False)
    contents = index(packages, architecture)
    write_files(folder, contents.files)
    counts = f"{contents.groups} store paths, {contents.unmet} unmet dependencies"
    progress(f"{architecture}: {len(packages)} packages, {counts}", True)

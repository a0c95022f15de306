"""Asks Nix: which paths a package set would have, and what the paths of the local store refer to."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from itertools import islice
from pathlib import Path

from nixery.concurrency.output import last_words
from nixery.errors import ConfigError, EvaluationFailed, NixUnavailable
from nixery.popcount.base import BASE, digest_of
from nixery.popcount.counts import Counts

_EXPRESSION = files("nixery.expressions").joinpath("outputs.nix")
_OUTPUT = re.compile(rf"/({BASE})(?=[;\s]|$)".encode())


def outputs(folder: Path, system: str) -> list[str]:
    """The digests of all outputs of a package set, for a system of Nix such as x86_64-linux; nothing is built.

    What the set refuses (throws, broken, unfree) is left out, as nix-env does. Raises ConfigError, EvaluationFailed
    and NixUnavailable.
    """
    if not (folder / "default.nix").is_file():
        raise ConfigError(f"{folder} is no package set: it has no default.nix")
    arguments = ("--argstr", "folder", str(folder.resolve()), "--argstr", "system", system)
    command = ("nix-env", "-f", str(_EXPRESSION), *arguments, "-qaP", "--no-name", "--out-path")
    done = _run(command)
    if done.returncode != 0:
        raise EvaluationFailed(f"{folder} cannot be evaluated: {_told(done)}")
    return list(dict.fromkeys(digest_of(base.decode()) for base in _OUTPUT.findall(done.stdout)))


def count_store(paths: Sequence[Path]) -> Counts:
    """The counts in the local store: over the closures of these paths, or over all valid paths where there are none.

    Raises ConfigError for what is no path of the store, and NixUnavailable.
    """
    done = _run(("nix-store", "--dump-db"))
    if done.returncode != 0:
        raise NixUnavailable(f"nix-store --dump-db failed: {_told(done)}")
    graph = dict(_registrations(iter(done.stdout.decode().splitlines())))
    counts = Counts()
    for path in _closure(graph, [_object(path, graph) for path in paths]) if paths else graph:
        counts.add(reference.rpartition("/")[2] for reference in graph[path])
    return counts


def _registrations(lines: Iterator[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """For each path: its NAR's hash and size, its deriver, the number of its references, and these."""
    for path in lines:
        *_, number = islice(lines, 4)
        yield path, tuple(islice(lines, int(number)))


def _object(path: Path, graph: dict[str, tuple[str, ...]]) -> str:
    """The store object that a path leads into."""
    real = path.resolve()
    for place in map(str, (real, *real.parents)):
        if place in graph:
            return place
    raise ConfigError(f"{path} is no path of Nix's store, or not a valid one")


def _closure(graph: dict[str, tuple[str, ...]], roots: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    todo = [*roots]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += graph[path]
    return seen


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    if shutil.which(command[0]) is None:
        raise NixUnavailable(f"{command[0]} is not on PATH: install Nix or extend PATH")
    # Where we are killed, Nix ends too. Not by TERM: it hears none while it evaluates.
    guard = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run((*guard, *command), stdin=subprocess.DEVNULL, capture_output=True, env=environment)
    except OSError as error:
        raise NixUnavailable(f"{command[0]} cannot be started: {error.strerror}; install Nix or extend PATH") from error


def _told(done: subprocess.CompletedProcess[bytes]) -> str:
    return last_words(done.stderr.decode(errors="replace"), 3)

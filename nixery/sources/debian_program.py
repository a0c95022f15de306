"""Runs nixery-debian-index: an index takes seconds of a processor, and apt may be asked to fetch."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence

from nixery.concurrency.output import Capped, last_words
from nixery.concurrency.process import Processes
from nixery.errors import SourceUnavailable
from nixery.sources.program import run

_COMMAND = (sys.executable, "-m", "nixery.commands.debian_index")
_SECONDS = 900.0  # the lists of two architectures, over a slow line


class IndexProgram:
    """nixery-debian-index as a process of its own, with the user's environment."""

    def __init__(self, processes: Processes, environment: Mapping[str, str], command: Sequence[str] = _COMMAND) -> None:
        self._processes = processes
        self._environment = {**environment, "LC_ALL": "C"}
        self._command = command

    def has_apt(self) -> bool:
        """Whether this host can make an index at all."""
        return shutil.which("apt-get", path=self._environment.get("PATH", os.defpath)) is not None

    async def run(self, out: str, architectures: Sequence[str], fetch: bool) -> None:
        """Put a new index in the place of `out`; `fetch`: of lists that apt fetches for it.

        Raises SourceUnavailable, and ShuttingDown.
        """
        which = (f"--arch={architecture}" for architecture in architectures)
        command = (*self._command, out, *which, *(["--update"] if fetch else []))
        told = Capped(4096)
        exit = await run(self._processes, command, self._environment, Capped(0), told, _SECONDS)
        if exit.timed_out:
            raise SourceUnavailable(f"nixery-debian-index took longer than {_SECONDS:g} s; {last_words(told.text())}")
        if exit.status != 0:
            raise SourceUnavailable(last_words(told.text()))

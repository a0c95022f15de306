"""`twistd nixery` as users run it, but for Nix: it only waits, and the graph of what is asked for is in a file.

Its end is in the log: when it was (time.time), and the CPU seconds that the daemon had taken until then.

    GRAPHS=FOLDER NIX_SECONDS=1 python -m benchmarks.packing_daemon -n nixery ...

The graph of the image NAME is in FOLDER/NAME; its Nix takes so many seconds.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.scripts.twistd import run

import nixery.tap
from benchmarks.daemons import cpu_of
from benchmarks.stores import closure_of
from nixery.images.name import ALWAYS
from nixery.images.source import PinnedSource
from nixery.nix.driver import Built
from nixery.nix.report import Package


class Done:
    """A Nix that only waits: all that it says is known before."""

    def __init__(self, *_: object) -> None:
        self._built = {graph.name: self._of(graph) for graph in Path(os.environ["GRAPHS"]).iterdir()}

    async def build(self, source: PinnedSource, names: Sequence[str], system: str) -> Built:
        """See nixery.nix.driver.Nix."""
        if seconds := float(os.environ["NIX_SECONDS"]):
            await deferLater(reactor, seconds)
            print(f"Nix ended at {time.time()} after {cpu_of(os.getpid())} CPU s")
        (name,) = (name for name in names if name not in ALWAYS)
        return self._built[name]

    def _of(self, graph: Path) -> Built:
        closure = closure_of(graph.read_bytes())
        referred = {path for info in closure for path in info.references}
        tops = tuple(info.path for info in closure if info.path not in referred)
        return Built((Package(graph.name, graph.name, tops, None, None, ()),), closure, tempfile.mkdtemp())


if __name__ == "__main__":
    nixery.tap.Nix = Done  # type: ignore[assignment, attr-defined]  # it stands in for the real one
    run()

"""What storages stand on in tests."""

from pathlib import Path

from twisted.internet import reactor

from nixery.concurrency.pool import Inline
from nixery.storage.interfaces import Surroundings


def surroundings(folder: Path, read_only: bool = False) -> Surroundings:
    """The real reactor, files at once, and a spool in that folder."""
    return Surroundings(reactor, Inline(), str(folder / "spool"), read_only)  # type: ignore[arg-type]  # a module

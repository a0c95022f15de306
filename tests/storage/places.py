"""What storages stand on in tests."""

from pathlib import Path

from twisted.internet import reactor

from nixery.concurrency.pool import Inline
from nixery.storage.filesystem import FilesystemStorage
from nixery.storage.folder import Folder
from nixery.storage.interfaces import Surroundings


def surroundings(folder: Path, read_only: bool = False) -> Surroundings:
    """The real reactor, files at once, and a spool in that folder."""
    return Surroundings(reactor, Inline(), str(folder / "spool"), read_only)  # type: ignore[arg-type]  # a module


def opened(root: Path) -> FilesystemStorage:
    """A started storage in that folder, whose calls are made at once."""
    storage = FilesystemStorage(Folder(str(root)), Inline())
    storage.startService()
    return storage

"""The folder of links that keep what is being packed from Nix's garbage collector."""

from twisted.application.service import Service

from nixery.concurrency.lair import Lair


class Roots(Service):
    """Our own folder below `parent`, there while the service runs; those of daemons that died are removed."""

    def __init__(self, parent: str) -> None:
        self._lair = Lair(parent)

    def folder(self) -> str:
        """The folder's path; raises OSError when the service does not run."""
        return self._lair.path

    def startService(self) -> None:
        """Make the folder."""
        self._lair.open()
        super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def stopService(self) -> None:
        """Let go of everything."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._lair.close()

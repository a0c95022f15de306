"""How long a client may take nothing of what it is sent."""

from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime

PATIENCE = 120.0
"""Seconds after which such a client is dropped."""


@define(eq=False)
class Waiting:
    """The time that one client has; it is dropped when that is up."""

    _clock: IReactorTime
    _timer: IDelayedCall | None = None

    def begin(self, drop: Callable[[], None]) -> None:
        """Give it all of its time from now on; `drop`, each time the same, is called when that is up."""
        if self._timer is None:
            self._timer = self._clock.callLater(PATIENCE, drop)
        else:
            self._timer.reset(PATIENCE)

    def over(self) -> None:
        """Stop its time, if that runs."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

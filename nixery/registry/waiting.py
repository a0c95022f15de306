"""How long a client may take nothing of what it is sent."""

import fcntl
import sys
import termios
from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITransport

PATIENCE = 120.0
"""Seconds after which such a client is dropped. What it took before half of them were over is not seen."""


@define(eq=False)
class Waiting:
    """The time that one client has; it is dropped when that is up.

    That a socket takes no more does not say that the client takes nothing: the kernel asks for more when a third of its
    megabytes is free, which a slow client needs minutes for. So what is in there is looked at.
    """

    _clock: IReactorTime
    _transport: ITransport | None
    _timer: IDelayedCall | None = None
    _taken: int | None = None

    def begin(self, drop: Callable[[], None], sent: Callable[[], int] = int) -> None:
        """Give it all of its time from now on; `drop` is called when that is up.

        `sent`: how many bytes its socket was given, where it is given more meanwhile. Both are the same each time.
        """
        self._taken = None
        if self._timer is None:
            self._timer = self._clock.callLater(PATIENCE / 2, self._look, drop, sent)
        else:
            self._timer.reset(PATIENCE / 2)

    def over(self) -> None:
        """Stop its time, if that runs."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _look(self, drop: Callable[[], None], sent: Callable[[], int]) -> None:
        before, self._taken = self._taken, sent() - _untaken(self._transport)
        if self._taken != before:  # less, where the kernel took what waited in our memory, and it took none
            self._timer = self._clock.callLater(PATIENCE / 2, self._look, drop, sent)
        else:
            drop()


def _untaken(transport: ITransport | None) -> int:
    """Bytes that the kernel has, and the client has not confirmed (tcp(7), SIOCOUTQ); 0 where there is no socket."""
    socket = getattr(transport, "socket", None)  # also of what wraps one
    if socket is None:
        return 0
    return int.from_bytes(fcntl.ioctl(socket, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

"""A process that packs one layer after the other: whatever it does, the daemon's own threads never wait for it.

Its arguments are a socket to the daemon and a counter of spare cores. Each job comes as a byte with the descriptor to
write to, and a line; the answer is a line (see jobs.py). It ends when the daemon closes the socket, however the daemon
ends.
"""

import os
import select
import signal
import socket
import sys
from threading import Event

from nixery.errors import PackingFailed, ShuttingDown, StorageUnavailable
from nixery.packing.jobs import Job, said
from nixery.packing.spare import Spare, spare

NICENESS = 10
"""So that requests are answered first (nice(2))."""


class Hangup(Event):
    """Set once the other end of a socket is closed."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._poll = select.poll()
        self._poll.register(connection, select.POLLRDHUP)

    def is_set(self) -> bool:
        """Whether nobody waits for the job any more."""
        return bool(self._poll.poll(0))


def serve(connection: socket.socket, spare: Spare) -> None:
    """Do jobs until the other end is closed."""
    lines = connection.makefile("rb")
    while True:
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
        if not descriptors:
            return
        line = lines.readline()
        connection.sendall(_done(line, descriptors[0], Hangup(connection), spare))


def _done(line: bytes, descriptor: int, hangup: Hangup, spare: Spare) -> bytes:
    try:
        return said(Job.decode(line).pack(descriptor, hangup, spare))
    except (PackingFailed, StorageUnavailable) as error:
        return said(error)
    finally:
        os.close(descriptor)


def main() -> None:
    """Be such a process."""
    os.nice(NICENESS)
    for number in (signal.SIGINT, signal.SIGTERM):  # they go to the whole group; the daemon ends in order, then we do
        signal.signal(number, signal.SIG_IGN)
    try:
        serve(socket.socket(fileno=int(sys.argv[1])), spare(int(sys.argv[2])))
    except (ShuttingDown, BrokenPipeError, ConnectionResetError):  # the daemon left
        return

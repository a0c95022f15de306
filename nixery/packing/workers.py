"""Processes that pack, so that requests never wait for the interpreter's lock: as many as jobs come at once.

Measured against threads of the daemon: see docs/performance.md.
"""

import os
import select
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from threading import Event, Lock

from nixery.errors import PackingFailed, ShuttingDown
from nixery.images.manifest import Layer
from nixery.packing.jobs import Job, heard
from nixery.packing.spare import counter, spare

_LOOK = 50
"""Milliseconds from one look at whether a job was cancelled to the next."""

_AHEAD = 4
"""Processes that are started before there are jobs for them: most images keep no more busy, and each takes memory."""

_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "8388608", "MALLOC_TRIM_THRESHOLD_": "16777216"}
"""Has glibc keep the few blocks of a MiB that each piece takes and gives back, for the next (mallopt(3)), rather than
ask the system for their pages each time: 14 times fewer page faults, a twentieth less CPU."""

_START = "import sys; sys.path[:] = sys.argv.pop().split(':'); from nixery.packing.worker import main; main()"


class Workers:
    """See Hands. What is not needed now is kept for the next job. `cores`: to pack with, all workers together."""

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._counter = counter(cores)
        self._spare = spare(self._counter)
        self._idle: list[_Worker] = []
        self._ready = False
        self._lock = Lock()

    def get_ready(self) -> None:
        """See Hands. Does nothing but the first time; what cannot be started is told of when there is a job for it."""
        with self._lock, suppress(PackingFailed):
            while not self._ready and len(self._idle) < min(self._cores, _AHEAD):
                self._idle.append(self._another())
            self._ready = True

    def pack(self, job: Job, descriptor: int, cancelled: Event) -> Layer:
        """See Hands. A worker that dies is replaced once: it may have been the one that memory was taken from."""
        give_back = self._spare()  # else others have all cores, and one less for their next piece
        try:
            return self._by_either(job, descriptor, cancelled)
        finally:
            if give_back is not None:
                give_back()

    def _by_either(self, job: Job, descriptor: int, cancelled: Event) -> Layer:
        try:
            return self._by(self._taken(), job, descriptor, cancelled)
        except _Died:
            os.ftruncate(descriptor, os.lseek(descriptor, 0, os.SEEK_SET))
        try:
            return self._by(self._another(), job, descriptor, cancelled)
        except _Died as died:
            raise PackingFailed(f"a process that packs layers ended ({died}): is there too little memory?") from died

    def end(self) -> None:
        """See Hands."""
        with self._lock:
            self._ready = True  # lest they be started now
            workers, self._idle = self._idle, []
        for worker in workers:
            worker.end()

    def _taken(self) -> "_Worker":
        with self._lock:
            return self._idle.pop() if self._idle else self._another()

    def _another(self) -> "_Worker":
        try:
            return _Worker(self._counter)
        except OSError as error:
            raise PackingFailed(
                f"a process that packs layers cannot be started: {error.strerror}; is there too little memory, or are "
                "there too many processes?"
            ) from error

    def _by(self, worker: "_Worker", job: Job, descriptor: int, cancelled: Event) -> Layer:
        try:
            answer = worker.ask(job, descriptor, cancelled)
        except BaseException:
            worker.end()
            raise
        with self._lock:
            self._idle.append(worker)
        return heard(answer)


class _Died(Exception):
    """A worker ended before it answered."""


class _Worker:
    """One process, used by one thread at a time."""

    def __init__(self, counter: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as unless_started:
            unless_started.enter_context(ours)
            self._process = _started(theirs.fileno(), counter)
            unless_started.pop_all()
        self._socket = ours
        self._answers = self._socket.makefile("rb")

    def ask(self, job: Job, descriptor: int, cancelled: Event) -> bytes:
        """What it answers; raises ShuttingDown soon after `cancelled` is set."""
        try:
            socket.send_fds(self._socket, [b"\0"], [descriptor])
            self._socket.sendall(job.encode())
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            while not poll.poll(_LOOK):
                if cancelled.is_set():
                    raise ShuttingDown()
            answer = self._answers.readline()
        except OSError as error:
            raise _Died(error.strerror) from error
        if not answer:
            raise _Died(f"status {self._process.wait()}")
        return answer

    def end(self) -> None:
        """Have it leave what it does; returns when it has ended."""
        self._answers.close()
        self._socket.close()
        self._process.wait()


def _started(connection: int, counter: int) -> "subprocess.Popen[bytes]":
    """A process that is given these two descriptors."""
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    return subprocess.Popen(
        (sys.executable, "-I", "-c", _START, str(connection), str(counter), path),
        stdin=subprocess.DEVNULL,
        pass_fds=(connection, counter),
        env=os.environ | _MEMORY,
    )

"""Child processes that always end: each in a session of its own, bounded in time, ended whole.

A child gets TERM when the daemon dies, however it dies (prctl(2), PR_SET_PDEATHSIG, by util-linux's setpriv), and KILL
a little later (coreutils' timeout). It is a session of its own (setsid), so that a signal to the daemon's process group
leaves it to us to end it.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IDelayedCall, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from nixery.concurrency.output import Sink
from nixery.concurrency.sessions import kill_sessions, sessions_below
from nixery.concurrency.settled import settled
from nixery.errors import ConfigError, ShuttingDown


class IReactorProcessTime(IReactorProcess, IReactorTime):
    """What is needed of a reactor."""


@frozen
class Exit:
    """How a child ended: by itself with `status`, or by a signal; `timed_out` when it had to be ended."""

    status: int | None
    signal: int | None
    timed_out: bool


class Processes(Service):
    """Runs children, and ends those that still run when it is stopped.

    `grace`: seconds between TERM and KILL.
    """

    def __init__(self, reactor: IReactorProcessTime, search_path: str, grace: float = 5.0) -> None:
        self._reactor = reactor
        self._search_path = search_path
        self._grace = grace
        self._running: set[_Child] = set()
        # A daemon that was killed cannot let KILL follow TERM: timeout does, as Nix hears no TERM while it evaluates.
        self._wrapper = (
            *(self.program("setsid"), self.program("setpriv"), "--pdeathsig", "TERM", "--"),
            *(self.program("timeout"), "--foreground", f"--kill-after={2 * grace:g}", "0"),
        )

    def program(self, name: str) -> str:
        """The absolute path of a program; raises ConfigError when there is none on PATH."""
        path = shutil.which(name, path=self._search_path)
        if path is None:
            raise ConfigError(f"the program {name!r} is not on PATH ({self._search_path!r}); install it or extend PATH")
        return os.path.abspath(path)

    async def run(
        self, command: Sequence[str], environment: Mapping[str, str], stdout: Sink, stderr: Sink, seconds: float
    ) -> Exit:
        """Run a program (absolute path and arguments) with nothing on its stdin.

        Ends it after `seconds`, and when the waiting for it is cancelled. Raises OSError when it cannot be started, and
        ShuttingDown.
        """
        if not self.running:
            raise ShuttingDown()
        child = _Child(self._reactor, self._grace, stdout, stderr)
        child.start((*self._wrapper, *command), environment, seconds)
        self._running.add(child)
        child.gone.addBoth(lambda _: self._running.discard(child))
        return await child.exit

    def stopService(self) -> Deferred[None]:
        """End all children; fires when none is left."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        children = list(self._running)
        gone = settled(child.gone for child in children)
        for child in children:
            child.end()
        return gone


class _Child(ProcessProtocol):
    """One child, from its start until nothing of it is left.

    `exit` is for who waits and may be cancelled; `gone` fires when the process has been reaped and its pipes are
    closed, whether or not anybody waits.
    """

    _log = Logger(namespace="nixery.concurrency.process")

    def __init__(self, reactor: IReactorProcessTime, grace: float, stdout: Sink, stderr: Sink) -> None:
        self.exit: Deferred[Exit] = Deferred(lambda _: self.end())
        self.gone: Deferred[None] = Deferred()
        self._reactor = reactor
        self._grace = grace
        self._sinks = {1: stdout, 2: stderr}
        self._sessions: frozenset[int] = frozenset()
        self._timer: IDelayedCall | None = None
        self._ending = False
        self._timed_out = False

    def start(self, command: Sequence[str], environment: Mapping[str, str], seconds: float) -> None:
        """Start the child and its clock."""
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            child = self._reactor.spawnProcess(
                self, command[0], list(command), dict(environment), childFDs={0: null, 1: "r", 2: "r"}
            )
        finally:
            os.close(null)
        # Whatever is left of the child's own session is known by this, also when the child is gone.
        self._sessions = frozenset({child.pid})
        self._timer = self._reactor.callLater(seconds, self._overrun)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Always take what comes: a full pipe would stop the child."""
        self._sinks[childFD].write(data)

    def end(self) -> None:
        """TERM now, KILL after the grace."""
        if not self._ending:
            self._ending = True
            self._collect()
            self._signal("TERM")
            self._at_last(self._kill)

    def processExited(self, reason: Failure) -> None:
        """The process is gone; its pipes may be held open by what it left behind, but not for long."""
        self._at_last(self._kill)

    def processEnded(self, reason: Failure) -> None:
        """The process is reaped and its pipes are closed."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._ending and kill_sessions(self._sessions):
            self._log.warn("some processes had outlived the one that started them, and were ended")
        if not self.exit.called:
            end = reason.value
            assert isinstance(end, ProcessDone | ProcessTerminated)
            self.exit.callback(Exit(end.exitCode, end.signal, self._timed_out))
        self.gone.callback(None)

    def _overrun(self) -> None:
        self._timed_out = True
        self.end()

    def _kill(self) -> None:
        self._collect()
        self._signal("KILL")
        kill_sessions(self._sessions)
        for descriptor in self._sinks:
            assert self.transport is not None
            self.transport.closeChildFD(descriptor)

    def _collect(self) -> None:
        pid = getattr(self.transport, "pid", None)
        if pid is not None:
            self._sessions |= sessions_below(pid)

    def _signal(self, name: str) -> None:
        assert self.transport is not None
        try:
            self.transport.signalProcess(name)
        except ProcessExitedAlready:
            self._log.debug("the process had ended before {name} reached it", name=name)

    def _at_last(self, call: Callable[[], None]) -> None:
        """Do this after the grace, instead of what the timer stood for."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._reactor.callLater(self._grace, call)

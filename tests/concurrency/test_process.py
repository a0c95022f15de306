"""Real processes: what has to end, and what must not be left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

import nixery
from nixery.concurrency.output import Capped
from nixery.concurrency.process import Exit, Processes
from nixery.errors import ConfigError, ShuttingDown

ENVIRONMENT = {"PATH": os.environ["PATH"]}


@pytest.fixture
def processes() -> Processes:
    processes = Processes(reactor, os.environ["PATH"], grace=0.3)  # type: ignore[arg-type]  # a module to mypy
    processes.startService()
    return processes


class Run:
    """One run of a Python program."""

    def __init__(self, processes: Processes, program: str, seconds: float = 30) -> None:
        self.stdout, self.stderr = Capped(1 << 22), Capped(1 << 22)
        command = (sys.executable, "-S", "-c", program)
        self.exit = Deferred.fromCoroutine(processes.run(command, ENVIRONMENT, self.stdout, self.stderr, seconds))
        self.exit.addTimeout(60, reactor)

    async def reads(self, text: bytes) -> None:
        """Wait until the program has written this."""
        while text not in bytes(self.stdout):
            await turn()


def turn() -> Deferred[None]:
    """One turn of the reactor."""
    turned: Deferred[None] = Deferred()
    reactor.callLater(0.01, turned.callback, None)
    return turned


async def gone(pid: int) -> bool:
    """Whether a process ends soon."""
    for _ in range(300):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        await turn()
    return False


@pytest_twisted.ensureDeferred
async def test_status_and_both_outputs_come_back(processes: Processes) -> None:
    run = Run(processes, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert await run.exit == Exit(3, None, False)
    assert (bytes(run.stdout), bytes(run.stderr)) == (b"out\n", b"err\n")


@pytest_twisted.ensureDeferred
async def test_fault_3_a_mebibyte_on_both_pipes_is_drained(processes: Processes) -> None:
    program = "import os; [os.write(fd, b'x' * 65536) for _ in range(16) for fd in (2, 1)]"
    run = Run(processes, program)
    assert await run.exit == Exit(0, None, False)
    assert len(bytes(run.stdout)) == len(bytes(run.stderr)) == 1 << 20


@pytest_twisted.ensureDeferred
async def test_fault_3_what_writes_without_end_is_ended_at_its_time(processes: Processes) -> None:
    run = Run(processes, "import os\nwhile True: os.write(1, b'x' * 65536), os.write(2, b'x' * 65536)", seconds=0.3)
    assert await run.exit == Exit(None, signal.SIGTERM, True)


@pytest_twisted.ensureDeferred
async def test_stdin_is_empty_and_no_descriptor_is_inherited(processes: Processes) -> None:
    with open(os.devnull) as file:
        os.set_inheritable(file.fileno(), True)
        run = Run(processes, "import os, sys; print(sys.stdin.read() == '', sorted(os.listdir('/proc/self/fd')))")
        await run.exit
    assert bytes(run.stdout) == b"True ['0', '1', '2', '3']\n"


@pytest_twisted.ensureDeferred
async def test_what_hangs_is_ended_by_term(processes: Processes) -> None:
    run = Run(processes, "import signal; signal.pause()", seconds=0.2)
    assert await run.exit == Exit(None, signal.SIGTERM, True)


@pytest_twisted.ensureDeferred
async def test_what_ignores_term_is_killed(processes: Processes) -> None:
    program = "import signal; signal.signal(15, signal.SIG_IGN); print('on', flush=True)\nwhile True: signal.pause()"
    run = Run(processes, program, seconds=0.5)
    assert await run.exit == Exit(None, signal.SIGKILL, True)


CHILD_IN_ITS_OWN_SESSION = """
import os, signal, sys, time
signal.signal(15, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    os.setsid()
    print(os.getpid(), flush=True)
while True: signal.pause()
"""


@pytest_twisted.ensureDeferred
async def test_fault_4_a_builder_in_a_session_of_its_own_is_ended_too(processes: Processes) -> None:
    run = Run(processes, CHILD_IN_ITS_OWN_SESSION)
    await run.reads(b"\n")
    run.exit.cancel()
    with pytest.raises(CancelledError):
        await run.exit
    assert await gone(int(bytes(run.stdout)))
    await processes.stopService()


@pytest_twisted.ensureDeferred
async def test_what_holds_the_pipes_open_after_the_end_is_ended(processes: Processes) -> None:
    run = Run(processes, "import os, signal\npid = os.fork()\nif pid == 0: signal.pause()\nprint(pid)")
    assert await run.exit == Exit(0, None, False)
    assert await gone(int(bytes(run.stdout)))


@pytest_twisted.ensureDeferred
async def test_fault_4_stopping_ends_all_that_run_and_waits_for_it(processes: Processes) -> None:
    runs = [Run(processes, CHILD_IN_ITS_OWN_SESSION) for _ in range(3)]
    for run in runs:
        await run.reads(b"\n")
    await processes.stopService()
    assert [run.exit.called for run in runs] == [True] * 3
    for run in runs:
        assert await run.exit == Exit(None, signal.SIGKILL, False)
        assert await gone(int(bytes(run.stdout)))
    with pytest.raises(ShuttingDown):
        await Run(processes, "").exit


@pytest_twisted.ensureDeferred
async def test_fault_4_a_child_ends_when_the_daemon_is_killed(tmp_path: Path) -> None:
    daemon = tmp_path / "daemon.py"
    daemon.write_text(
        "import os, sys\n"
        "from twisted.internet import reactor\n"
        "from twisted.internet.defer import Deferred\n"
        "from nixery.concurrency.process import Processes\n"
        "class Out:\n"
        "    def write(self, data): os.write(1, data)\n"
        "processes = Processes(reactor, os.environ['PATH'])\n"
        "processes.startService()\n"
        "program = 'import os, signal; print(os.getpid(), flush=True); signal.pause()'\n"
        "run = processes.run((sys.executable, '-S', '-c', program), dict(os.environ), Out(), Out(), 60)\n"
        "Deferred.fromCoroutine(run)\n"
        "reactor.run()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(nixery.__file__).parent.parent)}
    with subprocess.Popen([sys.executable, daemon], stdout=subprocess.PIPE, env=environment) as popen:
        assert popen.stdout is not None
        pid = int(popen.stdout.readline())
        popen.kill()
    assert await gone(pid)


@pytest_twisted.ensureDeferred
async def test_a_child_that_cannot_be_started_keeps_no_other_from_being_ended(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    run = Run(processes, CHILD_IN_ITS_OWN_SESSION)
    await run.reads(b"\n")
    with monkeypatch.context() as patched:
        patched.setattr(reactor, "spawnProcess", refuse)
        with pytest.raises(BlockingIOError):
            await Run(processes, "").exit
    await processes.stopService()
    assert await gone(int(bytes(run.stdout)))


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ConfigError, match="'setsid' is not on PATH"):
        Processes(reactor, "/nonexistent")  # type: ignore[arg-type]  # the reactor module is untyped

"""Processes by ancestry and session, read from /proc: so that what a child started can be ended with it.

See proc(5), /proc/pid/stat. A few milliseconds for hundreds of processes, and only on the way to a KILL.
"""

import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import Iterator

from attrs import frozen


@frozen
class _Process:
    pid: int
    parent: int
    session: int


def sessions_below(pid: int) -> frozenset[int]:
    """The sessions of a process's descendants, and its own if it leads one; never that of the caller."""
    children: defaultdict[int, list[_Process]] = defaultdict(list)
    sessions = set()
    for process in _processes():
        children[process.parent].append(process)
        if process.pid == process.session == pid:
            sessions.add(pid)
    todo = [pid]
    while todo:
        for process in children[todo.pop()]:
            sessions.add(process.session)
            todo.append(process.pid)
    return frozenset(sessions - {os.getsid(0)})


def kill_sessions(sessions: frozenset[int]) -> int:
    """Send KILL to all members of these sessions; says to how many."""
    members = [process.pid for process in _processes() if process.session in sessions]
    for pid in members:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # another user's is not ours to end
            os.kill(pid, signal.SIGKILL)
    return len(members)


def _processes() -> Iterator[_Process]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{name}/stat", "rb") as file:
                # The program's name, in parentheses, may hold anything; what follows it does not.
                fields = file.read().rpartition(b")")[2].split()
                if fields[0] != b"Z":
                    yield _Process(int(name), int(fields[1]), int(fields[3]))

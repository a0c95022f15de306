"""Runs git so that it never asks a person, runs no hook, and says what went wrong without telling a password."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from nixery.concurrency.output import Capped, Sink, last_words
from nixery.concurrency.process import Processes
from nixery.sources.program import run

# `git rev-parse --local-env-vars`: these would turn git to another repository than the one that is named to it.
_LOCAL = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX"),
        *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
    }
)
_SETTINGS = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never")
# man git-config, http.lowSpeedLimit: a server that is at work sends something every 5 s.
_SILENCE = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}
# What git adds when a connection over SSH fails: no word on why.
_ADVICE = frozenset({"Please make sure you have the correct access rights", "and the repository exists."})


@frozen
class Outcome:
    """How git ended: `words` is what it wrote to stderr, fit to be shown."""

    good: bool
    timed_out: bool
    words: str


class Git:
    """git as found on PATH, in the user's environment: agent, ~/.ssh, credential helpers, GIT_SSH_COMMAND."""

    def __init__(self, processes: Processes, environment: Mapping[str, str]) -> None:
        self._processes = processes
        self._program = processes.program("git")
        self._environment = git_environment(environment, processes.program("false"))

    async def run(
        self, arguments: Sequence[str], seconds: float, stdout: Sink | None = None, by_user: bool = True
    ) -> Outcome:
        """Run a command of git; raises SourceUnavailable when it cannot be started, and ShuttingDown.

        `by_user`: False when the URL comes from a repository, so that git takes only kinds that are safe then.
        """
        environment = self._environment if by_user else {**self._environment, "GIT_PROTOCOL_FROM_USER": "0"}
        stderr = Capped(4096)
        command = (self._program, *_SETTINGS, *arguments)
        exit = await run(self._processes, command, environment, stdout or Capped(0), stderr, seconds)
        return Outcome(exit.status == 0, exit.timed_out, last_words(stderr.text(), without=_ADVICE))


def git_environment(environment: Mapping[str, str], refuses: str) -> dict[str, str]:
    """The environment for git, from the daemon's own; `refuses`: a program that fails, in place of a prompt.

    A GIT_ASKPASS of the user's stays: it is how some hosts keep a password. ssh has no terminal to ask on, and by
    SSH_ASKPASS_REQUIRE asks in no other way (man ssh), so core.sshCommand and GIT_SSH_COMMAND stay as they are.
    """
    kept = {name: value for name, value in environment.items() if name not in _LOCAL}
    never = {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS": refuses, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    return {"GIT_ASKPASS": refuses, **_SILENCE, **kept, **never}

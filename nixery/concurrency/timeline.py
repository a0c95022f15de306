"""When the steps of a request were done: noted where they are done, and told in one line.

A request has its timeline in its context (contextvars), which Twisted's coroutines hand on: also to work that others
come to wait for, which notes its steps with whoever asked first.
"""

from contextvars import ContextVar
from typing import Self

from twisted.internet.interfaces import IReactorTime

_of_this_request: ContextVar["Timeline | None"] = ContextVar("timeline", default=None)


class Timeline:
    """Milliseconds from the beginning to the first and to the last time that each step was done."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._began = clock.seconds()
        self._steps: dict[str, tuple[float, float]] = {}

    @classmethod
    def begin(cls, clock: IReactorTime) -> Self:
        """The timeline of what this context does from now on."""
        timeline = cls(clock)
        _of_this_request.set(timeline)
        return timeline

    def __contains__(self, step: str) -> bool:
        return step in self._steps

    def __str__(self) -> str:
        return ", ".join(f"{step} {_shown(*span)}" for step, span in self._steps.items())

    def note(self, step: str) -> None:
        """This step is done now, maybe not for the first time."""
        now = 1000 * (self._clock.seconds() - self._began)
        self._steps[step] = self._steps.get(step, (now, now))[0], now


def note(step: str) -> None:
    """This step of the request whose work this is, if it is one's, is done now."""
    timeline = _of_this_request.get()
    if timeline is not None:
        timeline.note(step)


def _shown(first: float, last: float) -> str:
    return f"{first:.0f}" if first == last else f"{first:.0f}-{last:.0f}"

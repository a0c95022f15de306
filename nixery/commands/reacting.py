"""Runs the reactor for as long as a command's work takes."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.python.failure import Failure

T = TypeVar("T")
R = TypeVar("R")

INTERRUPTED = 130
"""The exit status of a command that SIGINT has ended, as a shell gives it: 128 and the signal's number."""


def reacting(work: Callable[[R], Coroutine[Any, Any, T]]) -> T:
    """What the work comes to, which gets the reactor; raises what it raises, and KeyboardInterrupt."""
    outcomes: list[T | Failure] = []

    def begin(reactor: R) -> Deferred[None]:
        return Deferred.fromCoroutine(work(reactor)).addBoth(outcomes.append)

    try:
        react(begin)
    except SystemExit:  # by which react always ends
        if not outcomes:
            raise KeyboardInterrupt from None
    [outcome] = outcomes
    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome

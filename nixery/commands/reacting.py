"""Runs the reactor for as long as a command's work takes."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.python.failure import Failure

from nixery.fetching.agent import IReactorWeb

T = TypeVar("T")


def reacting(work: Callable[[IReactorWeb], Coroutine[Any, Any, T]]) -> T:
    """What the work comes to; raises what it raises, and KeyboardInterrupt."""
    outcomes: list[T | Failure] = []

    def begin(reactor: IReactorWeb) -> Deferred[None]:
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

"""Waiting for Deferreds that belong to somebody else."""

from collections.abc import Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

T = TypeVar("T")


def settled(deferreds: Iterable[Deferred[Any]]) -> Deferred[None]:
    """Fires when all of them have fired, well or badly; their results stay theirs."""
    watches = [_watched(deferred) for deferred in deferreds]
    return DeferredList(watches).addCallback(lambda _: None)


async def gathered(deferreds: Iterable[Deferred[T]]) -> list[T]:
    """The results of all, in order; when all have fired, raises the first failure. Cancelling cancels all."""
    outcomes = await DeferredList(list(deferreds), consumeErrors=True)
    return [_successful(outcome) for _, outcome in outcomes]


def _watched(deferred: Deferred[T]) -> Deferred[None]:
    watch: Deferred[None] = Deferred()

    def pass_on(result: T) -> T:
        watch.callback(None)
        return result

    deferred.addBoth(pass_on)
    return watch


def _successful(outcome: T | Failure) -> T:
    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome

"""Waiting for Deferreds that belong to somebody else."""

from collections.abc import Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList

T = TypeVar("T")


def settled(deferreds: Iterable[Deferred[Any]]) -> Deferred[None]:
    """Fires when all of them have fired, well or badly; their results stay theirs."""
    watches = [_watched(deferred) for deferred in deferreds]
    return DeferredList(watches).addCallback(lambda _: None)


def _watched(deferred: Deferred[T]) -> Deferred[None]:
    watch: Deferred[None] = Deferred()

    def pass_on(result: T) -> T:
        watch.callback(None)
        return result

    deferred.addBoth(pass_on)
    return watch

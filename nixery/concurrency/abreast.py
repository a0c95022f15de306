"""Work on many things, a few at once."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

from twisted.internet.defer import Deferred, DeferredList, FirstError

T = TypeVar("T")


async def abreast(things: Iterable[T], most: int, work: Callable[[T], Awaitable[None]]) -> None:
    """Do the work for each of them, `most` at once; each is taken when it is its turn.

    The first failure is raised, with nothing left under way. Cancelling cancels what is under way.
    """
    rest = iter(things)
    workers = [Deferred.fromCoroutine(_each(rest, work)) for _ in range(most)]
    try:
        await DeferredList(workers, fireOnOneErrback=True, consumeErrors=True)
    except FirstError as error:
        error.subFailure.raiseException()
    finally:
        for worker in workers:
            worker.cancel()


async def _each(rest: Iterator[T], work: Callable[[T], Awaitable[None]]) -> None:
    for thing in rest:
        await work(thing)

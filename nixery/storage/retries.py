"""Asking a bucket until it answers, within a time: what it says in passing is tried again, later and later."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Generic, ParamSpec, TypeVar

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from nixery.concurrency.pool import Pool
from nixery.errors import ShuttingDown, StorageUnavailable
from nixery.storage.bucket import BucketError

P = ParamSpec("P")
T = TypeVar("T")

_SECONDS = 60.0
"""After these, no new try begins: a bucket may be away for half a minute, and no client waits for ever."""

_FIRST, _LONGEST = 0.2, 5.0
"""Seconds that the first and the longest wait between tries may take."""


@frozen
class Outcome(Generic[T]):
    """What a call gave. `unsure`: whether an earlier try may have done it too, without our hearing of it."""

    value: T
    unsure: bool


class Retries:
    """Makes a bucket's calls in `pool`. `where`: what messages call the bucket.

    The waits are random, up to twice as long each time, so that instances do not ask in step ("full jitter": Marc
    Brooker, Exponential Backoff And Jitter, 2015).
    """

    def __init__(self, pool: Pool, clock: IReactorTime, where: str, random: Random) -> None:
        self._pool = pool
        self._clock = clock
        self._where = where
        self._random = random
        self._waits: set[Deferred[None]] = set()
        self._closed = False

    def close(self) -> None:
        """Begin no call any more: what waits for a thread, or to be tried again, fails with ShuttingDown."""
        self._closed = True
        for wait in list(self._waits):
            wait.cancel()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function returns; raises StorageUnavailable for its last BucketError."""
        return (await self.outcome(function, *args, **kwargs)).value

    async def outcome(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Outcome[T]:
        """As `call`, for what is not the same when it is done twice."""
        call = partial(function, *args, **kwargs)
        end = self._clock.seconds() + _SECONDS
        tries = 0
        while True:
            try:
                return Outcome(await self._pool.run(self._begun, call), tries > 0)
            except BucketError as error:
                wait = self._random.uniform(0, min(_LONGEST, _FIRST * 2**tries))
                tries += 1
                if not error.passing or self._clock.seconds() + wait > end:
                    times = f" (tried {tries} times)" if tries > 1 else ""
                    raise StorageUnavailable(f"{self._where}: {error}{times}") from error
            await self._pause(wait)

    def _begun(self, call: Callable[[], T]) -> T:
        """What it returns, in a thread: all those that wait for one then would hold up the end."""
        if self._closed:
            raise ShuttingDown()
        return call()

    async def _pause(self, seconds: float) -> None:
        wait: Deferred[None] = deferLater(self._clock, seconds)
        self._waits.add(wait)
        if self._closed:
            wait.cancel()
        try:
            await wait
        except CancelledError:
            if self._closed:
                raise ShuttingDown() from None
            raise
        finally:
            self._waits.discard(wait)

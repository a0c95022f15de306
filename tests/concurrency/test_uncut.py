from threading import Event

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred

from nixery.concurrency.uncut import Told, Uncut
from nixery.errors import ShuttingDown


class Held:
    """Work that ends when the test says so."""

    def __init__(self) -> None:
        self.told: Event | None = None
        self.go: Deferred[str] = Deferred()

    async def __call__(self, cancelled: Event) -> str:
        self.told = cancelled
        return await self.go

    @property
    def is_told(self) -> bool:
        assert self.told is not None
        return self.told.is_set()


@pytest_twisted.ensureDeferred
async def test_it_gives_what_comes_of_the_work() -> None:
    held = Held()
    waiting = Deferred.fromCoroutine(Uncut[str]().run(held))
    assert not held.is_told
    held.go.callback("done")
    assert await waiting == "done"


@pytest_twisted.ensureDeferred
async def test_a_waiter_that_leaves_tells_the_work_and_does_not_cut_it() -> None:
    held, works = Held(), Uncut[str]()
    waiting = Deferred.fromCoroutine(works.run(held))
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting
    assert held.is_told
    assert not held.go.called
    stopped = Deferred.fromCoroutine(works.stop())
    assert not stopped.called
    held.go.callback("done")
    await stopped


@pytest_twisted.ensureDeferred
async def test_stopping_tells_all_and_waits_for_all() -> None:
    first, second, works = Held(), Held(), Uncut[str]()
    waiting = [Deferred.fromCoroutine(works.run(held)) for held in (first, second)]
    stopped = Deferred.fromCoroutine(works.stop())
    assert first.is_told
    assert second.is_told
    first.go.callback("one")
    assert not stopped.called
    second.go.callback("two")
    await stopped
    assert [await each for each in waiting] == ["one", "two"]


@pytest_twisted.ensureDeferred
async def test_work_that_comes_after_the_stop_is_told_from_the_start() -> None:
    held, works = Held(), Uncut[str]()
    await works.stop()
    waiting = Deferred.fromCoroutine(works.run(held))
    assert held.is_told
    held.go.callback("done")
    assert await waiting == "done"


@pytest_twisted.ensureDeferred
async def test_a_failure_is_the_waiters() -> None:
    held, works = Held(), Uncut[str]()
    waiting = Deferred.fromCoroutine(works.run(held))
    held.go.errback(ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        await waiting
    await works.stop()


class Cut(Held):
    """Work that may be cut off."""

    async def __call__(self, cancelled: Event) -> str:
        self.told = cancelled
        assert isinstance(cancelled, Told)
        return await cancelled.unless(self._held())

    async def _held(self) -> str:
        return await self.go


@pytest_twisted.ensureDeferred
async def test_what_may_be_cut_off_holds_nothing_up() -> None:
    first, second, late, works = Cut(), Cut(), Cut(), Uncut[str]()
    waiting = [Deferred.fromCoroutine(works.run(cut)) for cut in (first, second)]
    await works.stop()
    for each in (*waiting, Deferred.fromCoroutine(works.run(late))):
        with pytest.raises(ShuttingDown):
            await each


@pytest_twisted.ensureDeferred
async def test_what_may_be_cut_off_and_is_not_gives_what_comes_of_it() -> None:
    first, second, works = Cut(), Cut(), Uncut[str]()
    waiting = [Deferred.fromCoroutine(works.run(cut)) for cut in (first, second)]
    first.go.callback("done")
    second.go.errback(ValueError("broken"))
    assert await waiting[0] == "done"
    with pytest.raises(ValueError, match="broken"):
        await waiting[1]

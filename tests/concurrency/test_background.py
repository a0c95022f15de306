import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred

from nixery.concurrency.background import Background


async def until(go: Deferred[str]) -> str:
    return await go


@pytest_twisted.ensureDeferred
async def test_a_waiter_that_leaves_leaves_the_work_alone() -> None:
    go: Deferred[str] = Deferred()
    works = Background[str]()
    waiting = works.start(until(go))
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting
    ended = works.ended()
    assert not go.called
    assert not ended.called
    go.callback("done")
    await ended


@pytest_twisted.ensureDeferred
async def test_cancelling_ends_all_that_runs() -> None:
    works = Background[str]()
    waiting = [works.start(until(Deferred())) for _ in range(2)]
    works.cancel()
    await works.ended()
    for each in waiting:
        with pytest.raises(CancelledError):
            await each


@pytest_twisted.ensureDeferred
async def test_what_has_ended_is_not_waited_for() -> None:
    go: Deferred[str] = Deferred()
    works = Background[str]()
    waiting = works.start(until(go))
    go.errback(ValueError("broken"))
    assert works.ended().called
    with pytest.raises(ValueError, match="broken"):
        await waiting

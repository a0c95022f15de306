"""When a pool says that it is full."""

import threading
from collections.abc import Callable, Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from nixery.concurrency.pool import Inline, Threads


@pytest.fixture
def pool() -> Iterator[Threads]:
    """Two threads."""
    pool = Threads(reactor, 2, "tested")  # type: ignore[arg-type]  # a module to mypy
    pool.startService()
    yield pool
    pytest_twisted.blockon(pool.stopService())


def fail() -> None:
    raise LookupError("as it should")


@pytest_twisted.ensureDeferred
async def test_a_pool_is_full_while_each_thread_has_a_function(pool: Threads) -> None:
    go_on = threading.Event()
    full = [pool.full]

    def begin(function: Callable[[], object]) -> Deferred[object]:
        work = Deferred.fromCoroutine(pool.run(function))
        full.append(pool.full)
        return work

    under_way = [begin(go_on.wait) for _ in range(3)]
    go_on.set()
    for work in under_way:
        await work
    full.append(pool.full)
    assert full == [False, False, True, True, False]


@pytest_twisted.ensureDeferred
async def test_a_function_that_failed_has_no_thread_any_more(pool: Threads) -> None:
    for _ in range(2):
        with pytest.raises(LookupError):
            await pool.run(fail)
    assert not pool.full


def test_where_functions_run_at_once_none_waits() -> None:
    assert not Inline().full

"""Turns at builds among instances that share a storage."""

from random import Random

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.building.leases import BEAT, SILENCE, Lease, Leases, Turn
from nixery.errors import StorageUnavailable
from nixery.storage.memory import MemoryStorage

KEY = "b" * 64
NAME = f"v1/leases/{KEY}"


class Fleet:
    """Instances on one storage. `down`: whether the storage cannot be reached."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.storage = Storage()
        self.first, self.second = (Leases(self.storage, self.clock, Random(seed)) for seed in (1, 2))

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds * 10)):
            self.clock.advance(0.1)

    def turn(self) -> Turn:
        return Turn.parse(self.storage.records[NAME])


class Storage(MemoryStorage):
    """`lost`: how many swaps are done and not heard of."""

    down = False
    lost = 0

    async def read_record(self, name: str) -> bytes | None:
        self._fail_if_down()
        return await super().read_record(name)

    async def remove_record(self, name: str, old: bytes) -> bool:
        self._fail_if_down()
        return await super().remove_record(name, old)

    async def swap_record(self, name: str, old: bytes, new: bytes) -> bool:
        self._fail_if_down()
        swapped = await super().swap_record(name, old, new)
        if self.lost:
            self.lost -= 1
            raise StorageUnavailable("no answer")
        return swapped

    def _fail_if_down(self) -> None:
        if self.down:
            raise StorageUnavailable("down")


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


async def taken(leases: Leases) -> Lease:
    lease = await leases.take(KEY)
    assert lease is not None
    return lease


@pytest_twisted.ensureDeferred
async def test_a_turn_is_one_instances_until_it_is_given_back(fleet: Fleet) -> None:
    lease = await taken(fleet.first)
    assert await fleet.second.take(KEY) is None
    assert await fleet.first.take(KEY) is None
    fleet.first.give_back(lease)
    fleet.second.give_back(await taken(fleet.second))
    await fleet.second.close()
    assert not fleet.storage.records
    assert not fleet.clock.getDelayedCalls()


@pytest_twisted.ensureDeferred
async def test_whoever_waits_sees_the_end_within_a_second(fleet: Fleet) -> None:
    lease = await taken(fleet.first)
    waiting = Deferred.fromCoroutine(fleet.second.ended(KEY))
    fleet.pass_time(10 * SILENCE)
    assert not waiting.called, "a holder that works on is waited for, however long"
    fleet.first.give_back(lease)
    fleet.pass_time(1.1)
    assert waiting.called
    assert await fleet.second.take(KEY) is not None


@pytest_twisted.ensureDeferred
async def test_nobody_is_waited_for_where_nobody_has_a_turn(fleet: Fleet) -> None:
    await fleet.second.ended(KEY)
    fleet.storage.records[NAME] = b"not ours"
    await fleet.second.ended(KEY)
    assert await fleet.second.take(KEY) is not None


@pytest_twisted.ensureDeferred
async def test_a_dead_holders_turn_is_taken_over(fleet: Fleet) -> None:
    lease = await taken(fleet.first)
    fleet.pass_time(1)
    lease.beating.cancel()  # as when its process is killed
    waiting = Deferred.fromCoroutine(fleet.second.ended(KEY))
    fleet.pass_time(SILENCE - 1)
    assert not waiting.called
    fleet.pass_time(2.1)
    assert waiting.called
    assert await fleet.second.take(KEY) is not None
    assert await fleet.first.take(KEY) is None


@pytest_twisted.ensureDeferred
async def test_of_two_who_wait_for_a_dead_one_one_takes_over(fleet: Fleet) -> None:
    (await taken(fleet.first)).beating.cancel()
    third = Leases(fleet.storage, fleet.clock, Random(3))
    waiting = [Deferred.fromCoroutine(leases.ended(KEY)) for leases in (fleet.second, third)]
    fleet.pass_time(SILENCE + 1.1)
    assert all(each.called for each in waiting)
    took = [await leases.take(KEY) for leases in (fleet.second, third)]
    assert [lease is None for lease in took] == [False, True]


@pytest_twisted.ensureDeferred
async def test_a_holder_that_comes_back_to_life_leaves_the_turn_to_whom_has_it(fleet: Fleet) -> None:
    lease = await taken(fleet.first)
    fleet.storage.records[NAME] = Turn("another").encode()
    fleet.pass_time(2 * BEAT)
    assert lease.beating.called
    fleet.first.give_back(lease)
    assert fleet.turn() == Turn("another")


@pytest_twisted.ensureDeferred
async def test_a_beat_that_was_written_unheard_is_no_loss(fleet: Fleet) -> None:
    lease = await taken(fleet.first)
    fleet.storage.lost = 1
    fleet.pass_time(4 * BEAT)
    assert not lease.beating.called
    assert fleet.turn().beat > 1
    fleet.first.give_back(lease)
    assert not fleet.storage.records


@pytest_twisted.ensureDeferred
async def test_an_outage_of_the_storage_makes_nobody_dead(fleet: Fleet) -> None:
    lease = await taken(fleet.first)
    waiting = Deferred.fromCoroutine(fleet.second.ended(KEY))
    fleet.pass_time(1)
    # Whoever waits hears nothing for a while, as storage asks again and again.
    read, answer = fleet.storage.read_record, Deferred[None]()

    async def slow(name: str) -> bytes | None:
        await answer
        return await read(name)

    fleet.storage.read_record = slow  # type: ignore[method-assign]
    fleet.storage.swap_record, swap = _refuse, fleet.storage.swap_record  # type: ignore[method-assign]
    fleet.pass_time(3 * SILENCE)
    fleet.storage.read_record, fleet.storage.swap_record = read, swap  # type: ignore[method-assign]
    answer.callback(None)
    fleet.pass_time(2 * SILENCE)
    assert not waiting.called
    fleet.first.give_back(lease)
    fleet.pass_time(1.1)
    assert waiting.called


async def _refuse(name: str, old: bytes, new: bytes) -> bool:
    raise StorageUnavailable("down")


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_given_back_ends_by_silence(fleet: Fleet) -> None:
    lease = await taken(fleet.first)
    fleet.storage.down = True
    fleet.first.give_back(lease)
    await fleet.first.close()
    fleet.storage.down = False
    waiting = Deferred.fromCoroutine(fleet.second.ended(KEY))
    fleet.pass_time(SILENCE + 1.1)
    assert waiting.called


@pytest_twisted.ensureDeferred
async def test_a_storage_that_says_nothing_holds_the_end_up_for_a_few_seconds(fleet: Fleet) -> None:
    lease, answer = await taken(fleet.first), Deferred[None]()

    async def silent(name: str) -> bytes | None:
        await answer
        return None

    fleet.storage.read_record = silent  # type: ignore[method-assign]
    fleet.first.give_back(lease)
    closing = Deferred.fromCoroutine(fleet.first.close())
    fleet.pass_time(4)
    assert not closing.called
    fleet.pass_time(2)
    assert closing.called
    assert not fleet.clock.getDelayedCalls()


@pytest.mark.parametrize("step", [-3600, 3600])
@pytest.mark.parametrize("lives", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_clock_that_is_set_makes_nobody_dead_and_nobody_immortal(fleet: Fleet, step: int, lives: bool) -> None:
    lease = await taken(fleet.first)
    waiting = Deferred.fromCoroutine(fleet.second.ended(KEY))
    fleet.pass_time(2)
    if not lives:
        lease.beating.cancel()
    read = fleet.storage.read_record

    async def meanwhile(name: str) -> bytes | None:
        fleet.storage.read_record = read  # type: ignore[method-assign]
        for call in fleet.clock.getDelayedCalls():  # else they would be late or early by as much
            call.delay(step)
        fleet.clock.rightNow += step
        return await read(name)

    fleet.storage.read_record = meanwhile  # type: ignore[method-assign]
    fleet.pass_time(SILENCE - 1)
    assert not waiting.called
    fleet.pass_time(3.1)
    assert waiting.called is not lives
    waiting.cancel()
    waiting.addErrback(lambda _: None)


@pytest_twisted.ensureDeferred
async def test_a_turn_is_given_back_also_when_a_last_beat_is_written_meanwhile(fleet: Fleet) -> None:
    lease = await taken(fleet.first)
    remove, beat = fleet.storage.remove_record, Turn(lease.holder, 7).encode()

    async def beaten(name: str, old: bytes) -> bool:
        fleet.storage.remove_record = remove  # type: ignore[method-assign]
        fleet.storage.records[name] = beat
        return await remove(name, old)

    fleet.storage.remove_record = beaten  # type: ignore[method-assign]
    fleet.first.give_back(lease)
    assert not fleet.storage.records

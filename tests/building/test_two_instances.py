"""Two daemons on one storage: who builds, and who waits."""

from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from nixery.errors import StillBuilding, StorageUnavailable
from nixery.images.name import ImageName
from tests.building.world import World


class Two:
    """Two daemons on one storage; Nix is the same machine's."""

    def __init__(self, folder: Path) -> None:
        self.first, self.second = World(folder), World(folder)
        self.second.storage, self.second.clock = self.first.storage, self.first.clock
        self.second.leases = 100
        self.second.tags = self.second.restarted()

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds * 10)):
            self.first.clock.advance(0.1)

    @property
    def builds(self) -> int:
        return len(self.first.nix.calls) + len(self.second.nix.calls)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


@pytest_twisted.ensureDeferred
async def test_one_instance_builds_while_the_other_waits(two: Two) -> None:
    two.first.nix.go = Deferred()
    asked = [world.ask() for _ in range(10) for world in (two.first, two.second)]
    two.pass_time(30)
    assert two.builds == 1
    two.first.nix.go.callback(None)
    two.pass_time(1.1)
    records = [await each for each in asked]
    assert all(record == records[0] for record in records)
    assert two.builds == 1


@pytest_twisted.ensureDeferred
async def test_waiting_for_another_takes_no_slot_of_ones_own(two: Two) -> None:
    names = [ImageName.parse(name) for name in ("a", "b", "c")]
    two.first.settings = two.first.settings.__class__("e" * 64, two.first.settings.platform, 3, 240)
    two.first.tags = two.first.restarted()
    two.first.nix.go = Deferred()
    building = [two.first.ask(name) for name in names]
    waiting = [two.second.ask(name) for name in names]
    assert (await two.second.ask(ImageName.parse("d"))).layers
    two.first.nix.go.callback(None)
    two.pass_time(1.1)
    assert all(each.called for each in building + waiting)
    assert two.builds == 4


@pytest_twisted.ensureDeferred
async def test_when_the_others_build_fails_it_is_ones_own_turn(two: Two) -> None:
    two.first.nix.go = Deferred()
    failed = two.first.ask()
    asked = two.second.ask()
    two.first.nix.go.errback(StorageUnavailable("no space left"))
    with pytest.raises(StorageUnavailable):
        await failed
    two.pass_time(1.1)
    assert (await asked).layers
    assert two.builds == 2


@pytest_twisted.ensureDeferred
async def test_a_request_is_held_for_another_no_longer_than_for_oneself(two: Two) -> None:
    two.first.nix.go = Deferred()
    building = two.first.ask()
    asked = two.second.ask()
    two.pass_time(239)
    assert not asked.called
    two.pass_time(1.1)
    with pytest.raises(StillBuilding):
        await asked
    with pytest.raises(StillBuilding):
        await building


@pytest_twisted.ensureDeferred
async def test_a_stopped_instance_gives_its_turns_back(two: Two) -> None:
    two.first.nix.go = Deferred()
    building = two.first.ask()
    asked = two.second.ask()
    stopping = two.first.builder.stopService()
    building.addErrback(lambda _: None)
    await stopping
    two.pass_time(1.1)
    assert (await asked).layers

import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from tests.building.world import World


@pytest_twisted.ensureDeferred
async def test_a_cold_pull_is_told_step_by_step_and_a_warm_one_is_not(world: World) -> None:
    world.nix.go = Deferred()
    with capturedLogs() as logged:
        asked = world.ask()
        world.clock.advance(2)
        world.nix.go.callback(None)
        await asked
        await world.ask()
    (line,) = [text for text in map(formatEvent, logged) if "milliseconds" in text]
    assert line == (
        "hello, milliseconds: pinned 0, lease taken 0, layers planned 2000, layers stored 2000, "
        "manifests stored 2000, image recorded 2000, tag recorded 2000"
    )

from pathlib import Path

import pytest

from tests.building.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def moving(world: World) -> World:
    """A world whose tags move."""
    world.source.where = "a place"
    world.clock.advance(1_800_000_000)
    return world

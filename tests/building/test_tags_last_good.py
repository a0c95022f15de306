"""Which state, and which image of it, is the last good one of a tag."""

import pytest
import pytest_twisted
from attrs import evolve

from nixery.errors import (
    SourceUnavailable,
)
from nixery.images.name import ImageName, Platform
from nixery.images.popularity import Popularity
from tests.building.world import DAY, OTHER, REFUSED, SHELL, World


@pytest_twisted.ensureDeferred
async def test_the_last_good_state_is_served_for_a_time(moving: World) -> None:
    await moving.ask()
    moving.source.fails = REFUSED
    moving.clock.advance(DAY - 1)
    assert (await moving.served()).warning is not None
    moving.clock.advance(1)
    with pytest.raises(SourceUnavailable, match="There is no earlier state to serve instead"):
        await moving.ask()


@pytest_twisted.ensureDeferred
async def test_the_time_counts_from_when_it_was_last_the_newest(moving: World) -> None:
    await moving.ask()
    moving.clock.advance(DAY / 2)
    await moving.ask()
    moving.source.fails = REFUSED
    moving.clock.advance(DAY - 1)
    assert (await moving.served()).warning is not None


@pytest_twisted.ensureDeferred
async def test_of_two_good_states_the_newest_comes_first(moving: World) -> None:
    await moving.ask()
    moving.clock.advance(10)
    moving.move()
    await moving.ask(OTHER)
    moving.source.fails = REFUSED
    served = await moving.served()
    assert served.warning is not None
    assert "of two" in served.warning


@pytest_twisted.ensureDeferred
async def test_a_state_that_was_served_for_another_image_is_good_for_as_long_for_all(moving: World) -> None:
    good = await moving.ask()
    moving.clock.advance(0.9 * DAY)
    await moving.ask(OTHER)
    moving.clock.advance(0.6 * DAY)
    moving.source.fails = REFUSED
    assert await moving.ask() == good
    assert moving.source.asked == [], "and is found as it is stored"


@pytest_twisted.ensureDeferred
async def test_another_popularity_makes_another_image_and_leaves_the_last_good_one(moving: World) -> None:
    good = await moving.ask()
    moving.popularity = Popularity.parse('{"hello": 5}')
    moving.source.fails = REFUSED
    assert await moving.ask() == good
    assert len(moving.nix.calls) == 1
    moving.source.fails = None
    await moving.ask()
    assert len(moving.nix.calls) == 2


@pytest_twisted.ensureDeferred
async def test_the_last_good_image_of_a_state_is_the_one_that_was_served_last(moving: World) -> None:
    await moving.ask()
    moving.popularity, moving.nix.content = Popularity.parse('{"hello": 5}'), "second"
    good = await moving.ask()
    moving.source.fails = REFUSED
    assert await moving.ask() == good


@pytest.mark.parametrize(
    "other", [evolve(SHELL, platform=Platform.ARM64), evolve(SHELL, shell=False), evolve(SHELL, packages=("hello",))]
)
@pytest_twisted.ensureDeferred
async def test_each_image_has_a_last_good_one_of_its_own(moving: World, other: ImageName) -> None:
    good = await moving.ask(SHELL)
    assert await moving.ask(other) != good
    moving.source.fails = REFUSED
    assert await moving.ask(SHELL) == good


@pytest_twisted.ensureDeferred
async def test_an_image_that_other_settings_allowed_is_not_served(moving: World) -> None:
    moving.meaning = " with settings allowing what is unfree"
    moving.tags = moving.restarted()
    await moving.ask()
    moving.source.fails = REFUSED
    assert (await moving.served()).warning is not None
    moving.meaning = ""
    moving.tags = moving.restarted()
    with pytest.raises(SourceUnavailable, match="none was served before"):
        await moving.ask()


@pytest_twisted.ensureDeferred
async def test_lost_blobs_of_the_last_good_image_are_made_again(moving: World) -> None:
    good = await moving.ask()
    moving.source.fails = REFUSED
    moving.storage.blobs.clear()
    assert await moving.ask() == good
    assert moving.source.asked == ["one"]

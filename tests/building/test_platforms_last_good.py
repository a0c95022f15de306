"""The last good state of a tag that stands for several platforms."""

import pytest
import pytest_twisted

from nixery.images.index import ImageIndex
from nixery.images.name import Platform
from nixery.images.popularity import Popularity
from tests.building.world import REFUSED, World


@pytest.fixture
def both(moving: World) -> World:
    moving.platforms = (Platform.AMD64, Platform.ARM64)
    moving.tags = moving.restarted()
    return moving


@pytest_twisted.ensureDeferred
async def test_the_last_good_index_is_served_as_it_was(both: World) -> None:
    good = await both.rendered()
    assert isinstance(good, ImageIndex)
    both.popularity = Popularity.parse('{"hello": 5}')
    both.source.fails = REFUSED
    assert await both.rendered() == good
    assert len(both.nix.calls) == 2


@pytest_twisted.ensureDeferred
async def test_platforms_in_another_order_are_another_index(both: World) -> None:
    first = await both.rendered()
    both.platforms = (Platform.ARM64, Platform.AMD64)
    both.tags = both.restarted()
    second = await both.rendered()
    assert isinstance(first, ImageIndex)
    assert isinstance(second, ImageIndex)
    assert second.images == first.images[::-1], "as the first is for clients without indexes"
    assert len(both.nix.calls) == 2

"""NIXERY_STALE=revalidate: the last good image at once, the newest for whoever asks next."""

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from nixery.building.last_good import Policy
from nixery.errors import (
    PackagesUnavailable,
    StillBuilding,
)
from tests.building.world import OTHER, REFUSED, World


class TestRevalidate:
    """NIXERY_STALE=revalidate."""

    @pytest.fixture
    def moving(self, moving: World) -> World:
        moving.policy = Policy.REVALIDATE
        moving.tags = moving.restarted()
        return moving

    @pytest_twisted.ensureDeferred
    async def test_while_the_newest_is_made_the_last_good_one_is_served_at_once(self, moving: World) -> None:
        good = await moving.ask()
        moving.move()
        moving.nix.go = Deferred()
        asked = moving.served()
        moving.clock.advance(0.1)
        served = await asked
        assert (served.rendered, served.warning) == (good, None)
        moving.nix.go.callback(None)
        assert await moving.ask() != good
        assert len(moving.nix.calls) == 2

    @pytest_twisted.ensureDeferred
    async def test_two_images_that_are_made_at_once_are_two(self, moving: World) -> None:
        moving.nix.go = Deferred()
        asked = moving.ask(), moving.ask(OTHER)
        moving.nix.go.callback(None)
        moving.clock.advance(0.1)
        assert await asked[0] != await asked[1]

    @pytest_twisted.ensureDeferred
    async def test_a_known_image_is_served_new(self, moving: World) -> None:
        first = await moving.ask()
        moving.move()
        second = await moving.ask()
        assert second != first
        assert await moving.ask() == second

    @pytest_twisted.ensureDeferred
    async def test_without_an_earlier_image_the_newest_is_waited_for(self, moving: World) -> None:
        moving.nix.go = Deferred()
        asked = moving.served()
        moving.clock.advance(100)
        assert not asked.called
        moving.nix.go.callback(None)
        assert (await asked).warning is None

    @pytest_twisted.ensureDeferred
    async def test_and_waited_for_no_longer_than_a_request_is_held(self, moving: World) -> None:
        moving.nix.go = Deferred()
        asked = moving.served()
        moving.clock.advance(0.1)
        moving.clock.advance(240)
        with pytest.raises(StillBuilding):
            await asked
        moving.nix.go.callback(None)

    @pytest_twisted.ensureDeferred
    async def test_a_verdict_in_the_background_is_told_to_the_next(self, moving: World) -> None:
        good = await moving.ask()
        moving.move()
        moving.nix.go, moving.nix.fails = Deferred(), PackagesUnavailable("hello is unfree")
        asked = moving.served()
        moving.clock.advance(0.1)
        assert (await asked).rendered == good
        moving.nix.go.callback(None)
        moving.nix.go = Deferred()
        asked = moving.served()
        moving.clock.advance(1)
        moving.nix.go.callback(None)
        with pytest.raises(PackagesUnavailable):
            await asked

    @pytest_twisted.ensureDeferred
    async def test_an_upstream_that_fails_in_the_background_is_warned_of(self, moving: World) -> None:
        await moving.ask()
        moving.source.go, moving.source.fails = Deferred(), REFUSED
        for warned in (False, True):
            asked = moving.served()
            with capturedLogs() as logged:
                moving.clock.advance(0.1)
            assert ((await asked).warning is not None) == warned
            assert ["warning" in event for event in logged] == [True] * warned, "the log says it too"
            moving.source.go.callback(None)
            moving.source.go = Deferred()
        moving.source.go = moving.source.fails = None
        await moving.ask()
        moving.source.go = Deferred()
        asked = moving.served()
        moving.clock.advance(0.1)
        assert (await asked).warning is None, "it has worked since"
        moving.source.go.callback(None)

    @pytest_twisted.ensureDeferred
    async def test_a_build_that_outlasts_its_request_holds_up_no_later_one(self, moving: World) -> None:
        good = await moving.ask()
        moving.move()
        moving.nix.go = Deferred()
        for seconds in (240, 0):
            asked = moving.ask()
            moving.clock.advance(0.1)
            assert asked.called
            assert await asked == good
            moving.clock.advance(seconds)
        moving.nix.go.callback(None)

"""How long requests wait for sources and builds."""

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from nixery.errors import (
    StillBuilding,
    StillFetching,
)
from nixery.images.digest import Digest
from nixery.images.manifest import Format
from nixery.images.name import Tag
from tests.building.world import LATEST, OTHER, REFUSED, World


@pytest_twisted.ensureDeferred
async def test_a_source_that_takes_too_long_is_as_good_as_none(moving: World) -> None:
    good = await moving.ask()
    moving.source.go = Deferred()
    asked = moving.served()
    moving.clock.advance(240)
    served = await asked
    assert served.rendered == good
    assert served.warning is not None
    assert "was not there after 240 s" in served.warning
    moving.source.go = Deferred()
    asked = moving.served(tag=Tag("v1"))
    moving.clock.advance(240)
    with pytest.raises(StillFetching, match="goes on being fetched"):
        await asked


@pytest_twisted.ensureDeferred
async def test_the_source_and_the_build_share_the_time_of_a_request(moving: World) -> None:
    moving.source.go, moving.nix.go = Deferred(), Deferred()
    asked = moving.served(tag=LATEST)
    moving.clock.advance(200)
    moving.source.go.callback(None)
    moving.clock.advance(40)
    with pytest.raises(StillBuilding):
        await asked
    moving.nix.go.callback(None)


@pytest_twisted.ensureDeferred
async def test_a_source_that_is_known_to_be_silent_is_not_waited_for_long(moving: World) -> None:
    good = await moving.ask()
    moving.source.fails = REFUSED
    await moving.ask()
    moving.source.go = Deferred()
    asked = moving.served()
    moving.clock.advance(2)
    served = await asked
    assert served.rendered == good
    assert served.warning is not None
    assert "connection refused" in served.warning, "the reason is the failure, not our impatience"
    moving.source.go = Deferred()
    never = moving.served(tag=Tag("v1"))
    moving.clock.advance(100)
    assert not never.called, "where nothing older is at hand there is nothing to do but wait"
    moving.source.go, moving.source.fails = None, None
    assert (await moving.served()).warning is None
    moving.source.go = Deferred()
    asked = moving.served()
    moving.clock.advance(100)
    assert not asked.called, "it is no longer known to be silent"
    moving.source.go.callback(None)
    assert (await asked).warning is None
    never.addErrback(lambda _: None).cancel()


@pytest_twisted.ensureDeferred
async def test_a_source_that_works_slowly_is_not_given_up_for_ever(moving: World) -> None:
    good = await moving.ask()
    moving.source.fails = REFUSED
    await moving.ask()
    moving.move()
    moving.source.fails = None
    for seconds, new in ((200, False), (200, True)):
        moving.clock.advance(seconds)
        moving.source.go = Deferred()
        asked = moving.ask()
        moving.clock.advance(3)
        moving.source.go.callback(None)
        assert (await asked != good) == new


@pytest_twisted.ensureDeferred
async def test_an_earlier_state_is_waited_for_no_longer_than_a_request_is_held(moving: World) -> None:
    await moving.ask()
    moving.source.go, moving.source.fetching = Deferred(), Deferred()
    asked = moving.ask(OTHER)
    moving.clock.advance(240)
    moving.clock.advance(0)
    assert asked.called
    with pytest.raises(StillFetching, match="the state one: the package set was not there after 0 s"):
        await asked


@pytest_twisted.ensureDeferred
async def test_a_manifest_is_made_again_within_the_time_of_a_request(moving: World) -> None:
    record = await moving.ask()
    moving.storage.blobs.clear()
    moving.source.fetching = Deferred()
    asked = Deferred.fromCoroutine(moving.tags.by_digest(Digest.of(record.manifest(Format.OCI))))
    moving.clock.advance(240)
    assert asked.called
    with pytest.raises(StillFetching):
        await asked


@pytest_twisted.ensureDeferred
async def test_an_earlier_state_is_built_no_longer_than_a_request_is_held(moving: World) -> None:
    await moving.ask()
    moving.source.go, moving.nix.go = Deferred(), Deferred()
    asked = moving.ask(OTHER)
    moving.clock.advance(200)
    moving.source.go.errback(REFUSED)
    moving.clock.advance(40)
    assert asked.called
    with pytest.raises(StillBuilding):
        await asked
    moving.nix.go.callback(None)


@pytest_twisted.ensureDeferred
async def test_a_clock_that_was_set_back_does_not_have_a_source_given_up_for_ever(moving: World) -> None:
    good = await moving.ask()
    moving.source.fails = REFUSED
    await moving.ask()
    moving.move()
    moving.source.fails = None
    moving.clock.rightNow -= 1000
    moving.source.go = Deferred()
    asked = moving.ask()
    moving.clock.advance(3)
    moving.source.go.callback(None)
    assert await asked != good

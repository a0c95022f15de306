"""What is served when the newest state of a package set cannot be had: the last good one, or an error that says why."""

import pytest
import pytest_twisted
from attrs import evolve
from twisted.logger import capturedLogs, formatEvent

from nixery.building.last_good import Policy
from nixery.errors import (
    BuildFailed,
    EvaluationFailed,
    ManifestUnknown,
    NixeryError,
    PackagesUnavailable,
    SourceOutdated,
    SourceUnavailable,
)
from nixery.images.name import Tag
from tests.building.world import BROKEN, LATEST, OTHER, REFUSED, World


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_is_gone_leaves_the_last_good_image_and_a_warning(moving: World) -> None:
    good = await moving.served()
    assert good.warning is None
    moving.source.fails = REFUSED
    moving.tags = moving.restarted()
    served = await moving.served()
    assert served.rendered == good.rendered
    assert served.warning == (
        "the newest packages cannot be had (the git repository cannot be read: connection refused); "
        "these are of one, current at 2027-01-15T08:00:00+00:00"
    )
    assert len(moving.nix.calls) == 1
    assert moving.source.asked == [], "a stored image needs no source"


@pytest_twisted.ensureDeferred
async def test_a_tag_means_what_it_was_served_from_until_its_source_moves_or_fails(moving: World) -> None:
    pinned = (await moving.served()).pinned
    assert pinned == moving.source.pinned
    assert moving.tags.means(LATEST, pinned)
    moving.source.fails = REFUSED
    assert not moving.tags.means(LATEST, pinned), "there is a warning to be told"
    assert (await moving.served()).pinned is None
    moving.source.fails = None
    moving.move()
    assert not moving.tags.means(LATEST, pinned)
    assert (await moving.served()).pinned == moving.source.pinned != pinned


@pytest_twisted.ensureDeferred
async def test_a_state_that_cannot_be_evaluated_is_passed_over_and_not_tried_at_each_request(moving: World) -> None:
    good = await moving.served()
    moving.move()
    moving.nix.fails = BROKEN
    for _ in range(3):
        served = await moving.served()
        assert served.rendered == good.rendered
        assert served.warning is not None
        assert "syntax error" in served.warning
    assert len(moving.nix.calls) == 2
    moving.clock.advance(15)
    moving.nix.fails = None
    assert (await moving.served()).rendered != good.rendered


@pytest_twisted.ensureDeferred
async def test_a_newer_state_than_the_one_that_could_not_be_evaluated_is_tried_at_once(moving: World) -> None:
    good = await moving.ask()
    moving.move()
    moving.nix.fails = BROKEN
    assert await moving.ask() == good
    moving.source.pinned, moving.nix.fails = evolve(moving.source.pinned, pin="three"), None
    assert await moving.ask() != good


@pytest_twisted.ensureDeferred
async def test_what_is_served_instead_is_one_line_of_the_log(moving: World) -> None:
    await moving.ask()
    moving.source.fails = REFUSED
    with capturedLogs() as events:
        served = await moving.served()
    assert [formatEvent(event) for event in events] == [f"hello:latest: {served.warning}"]


@pytest.mark.parametrize(
    "verdict", [PackagesUnavailable("git is unfree"), BuildFailed("no"), ManifestUnknown("no ref")]
)
@pytest_twisted.ensureDeferred
async def test_a_verdict_is_told_at_once(moving: World, verdict: NixeryError) -> None:
    await moving.ask()
    moving.move()
    moving.nix.fails = verdict
    with pytest.raises(type(verdict), match=str(verdict)):
        await moving.ask()


@pytest_twisted.ensureDeferred
async def test_a_verdict_of_the_last_good_state_is_told_too(moving: World) -> None:
    await moving.ask()
    moving.source.fails = REFUSED
    moving.nix.fails = PackagesUnavailable("git is not in the package set")
    with pytest.raises(PackagesUnavailable, match="git is not in"):
        await moving.ask(OTHER)


@pytest_twisted.ensureDeferred
async def test_an_image_that_was_never_asked_for_comes_from_the_last_good_state(moving: World) -> None:
    await moving.ask()
    moving.source.fails = REFUSED
    served = await moving.served(OTHER)
    assert served.warning is not None
    assert moving.source.asked == ["one"]
    assert moving.nix.calls[-1] == ("cacert", "git", "iana-etc")


@pytest_twisted.ensureDeferred
async def test_a_tag_that_was_never_served_says_what_was_tried(moving: World) -> None:
    moving.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match=r"connection refused\. There is no earlier state .*: none was served"):
        await moving.ask()
    moving.source.fails = None
    await moving.ask()
    moving.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="none was served before"):
        await moving.ask(tag=Tag("v1"))


@pytest_twisted.ensureDeferred
async def test_an_earlier_state_that_is_gone_too_is_named(moving: World) -> None:
    await moving.ask()
    moving.source.fails = REFUSED
    moving.source.gone.add("one")
    with pytest.raises(SourceUnavailable, match=r"connection refused.*: the state one: one is gone"):
        await moving.ask(OTHER)


@pytest_twisted.ensureDeferred
async def test_never_means_never(moving: World) -> None:
    moving.policy = Policy.NEVER
    moving.tags = moving.restarted()
    await moving.ask()
    moving.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="refused$"):
        await moving.ask()


@pytest_twisted.ensureDeferred
async def test_a_source_that_may_not_be_older_than_it_is_says_so(world: World) -> None:
    await world.ask()
    world.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="refused$"):
        await world.ask()


@pytest_twisted.ensureDeferred
async def test_a_set_that_names_what_is_gone_is_looked_for_anew_once(moving: World) -> None:
    moving.nix.fails = SourceOutdated("hello_1.deb has left the mirror")
    with pytest.raises(SourceOutdated):
        await moving.ask()
    assert len(moving.nix.calls) == 1, "there is nothing newer"
    moving.source.newer = evolve(moving.source.pinned, pin="two")
    with pytest.raises(SourceOutdated):
        await moving.ask()
    assert len(moving.nix.calls) == 3


@pytest_twisted.ensureDeferred
async def test_two_states_that_cannot_be_evaluated_are_each_tried_once(moving: World) -> None:
    await moving.ask(OTHER)
    moving.move()
    moving.nix.fails = BROKEN
    for _ in range(3):
        with pytest.raises(EvaluationFailed, match="syntax error.*the state one: .*syntax error"):
            await moving.ask()
    assert len(moving.nix.calls) == 3
    moving.clock.rightNow -= 1000
    moving.nix.fails = None
    await moving.ask()
    assert len(moving.nix.calls) == 4, "a clock that was set back does not make this last"


@pytest_twisted.ensureDeferred
async def test_an_image_that_cannot_be_evaluated_leaves_others_of_its_state_alone(moving: World) -> None:
    moving.nix.fails = BROKEN
    with pytest.raises(EvaluationFailed):
        await moving.ask()
    moving.nix.fails = None
    assert (await moving.served(OTHER)).warning is None

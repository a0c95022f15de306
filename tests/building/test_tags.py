"""What is served when the newest state of a package set cannot be had: the last good one, or an error that says why."""

import json
import re

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
    StorageUnavailable,
)
from nixery.images.name import ImageName, Platform, Tag
from nixery.images.popularity import Popularity
from tests.building.world import BROKEN, DAY, OTHER, REFUSED, SHELL, World


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
async def test_what_is_recorded_is_not_written_at_each_request(moving: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await moving.ask()
    monkeypatch.setattr(moving.storage, "create_record", None)
    monkeypatch.setattr(moving.storage, "read_record", _only_images(moving.storage.read_record))
    await moving.ask()


def _only_images(read):  # type: ignore[no-untyped-def]  # a stand-in for one call
    def guarded(name: str):  # type: ignore[no-untyped-def]  # as above
        assert name.startswith("v1/images/")
        return read(name)

    return guarded


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


@pytest.mark.parametrize("at", ["1e400", "1e300", "9" * 400, "9e9", "-1e300", "NaN", "[" * 100_000, "true"])
@pytest_twisted.ensureDeferred
async def test_a_record_of_an_impossible_time_is_neither_served_nor_in_the_way(moving: World, at: str) -> None:
    await moving.ask()
    for name in [name for name in moving.storage.records if name.startswith("v1/tags/")]:
        said = moving.storage.records[name].decode()
        moving.storage.records[name] = re.sub('"at":[^,}]*', f'"at":{at}', said).encode()
    moving.tags = moving.restarted()
    moving.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="none was served before"):
        await moving.ask()
    moving.source.fails = None
    moving.move()
    new = await moving.ask()
    moving.source.fails = REFUSED
    assert await moving.ask() == new


@pytest.mark.parametrize(("field", "value"), [("key", "../../../etc/passwd"), ("pin", "one\n\x1b[31m"), ("key", 5)])
@pytest_twisted.ensureDeferred
async def test_a_record_that_could_name_or_say_anything_counts_as_none(
    moving: World, field: str, value: str | int
) -> None:
    await moving.ask()
    for name in [name for name in moving.storage.records if name.startswith("v1/tags/")]:
        said = json.loads(moving.storage.records[name])
        moving.storage.records[name] = json.dumps({**said, field: value}).encode()
    moving.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="none was served before"):
        await moving.ask()


@pytest_twisted.ensureDeferred
async def test_a_clock_that_was_set_back_does_not_keep_newer_states_from_being_recorded(moving: World) -> None:
    await moving.ask()
    moving.clock.rightNow -= 0.5 * DAY
    moving.move()
    moving.tags = moving.restarted()
    new = await moving.ask()
    moving.source.fails = REFUSED
    assert await moving.ask() == new


@pytest_twisted.ensureDeferred
async def test_never_means_never(moving: World) -> None:
    moving.policy = Policy.NEVER
    moving.tags = moving.restarted()
    await moving.ask()
    moving.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="refused$"):
        await moving.ask()
    assert not any(name.startswith("v1/tags") for name in moving.storage.records)


@pytest_twisted.ensureDeferred
async def test_a_source_that_may_not_be_older_than_it_is_says_so(world: World) -> None:
    await world.ask()
    world.source.fails = REFUSED
    with pytest.raises(SourceUnavailable, match="refused$"):
        await world.ask()


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
async def test_lost_blobs_of_the_last_good_image_are_made_again(moving: World) -> None:
    good = await moving.ask()
    moving.source.fails = REFUSED
    moving.storage.blobs.clear()
    assert await moving.ask() == good
    assert moving.source.asked == ["one"]


@pytest_twisted.ensureDeferred
async def test_a_full_storage_does_not_stop_a_pull(moving: World, monkeypatch: pytest.MonkeyPatch) -> None:
    good = await moving.ask()
    moving.tags = moving.restarted()

    async def full(name: str, *data: bytes) -> bool:
        raise StorageUnavailable("no space left")

    monkeypatch.setattr(moving.storage, "create_record", full)
    assert await moving.ask() == good


@pytest_twisted.ensureDeferred
async def test_what_a_full_storage_did_not_take_is_recorded_at_the_next_pull(
    moving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = moving.storage.create_record

    async def full(name: str, data: bytes) -> bool:
        if name.startswith("v1/tags/"):
            raise StorageUnavailable("no space left")
        return await create(name, data)

    with monkeypatch.context() as at_first:
        at_first.setattr(moving.storage, "create_record", full)
        good = await moving.ask()
    await moving.ask()
    moving.source.fails = REFUSED
    assert await moving.ask() == good
    assert moving.source.asked == [], "found by its own record"


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

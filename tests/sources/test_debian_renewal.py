"""An index that is made anew because a package has left the mirror."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from nixery.concurrency.process import Exit
from tests.sources.debian_world import NEW, World, debian_world, now


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with debian_world(tmp_path, monkeypatch) as world:
        yield world


def test_newer_lists_are_used_first(world: World) -> None:
    world.pin()
    world.newer = True
    world.program.pins["lists"] = NEW
    assert now(world.renews()) is True
    assert ["--update" in call for call in world.program.calls] == [False]


def test_else_apt_fetches_lists(world: World) -> None:
    world.program.pins["--update"] = NEW
    assert now(world.renews()) is True
    assert world.program.calls == [("/bin/index", str(world.index), "--arch=amd64", "--arch=arm64", "--update")]
    assert "of lists that apt fetched for it" in world.logged[0]


def test_newer_lists_that_say_the_same_are_not_enough(world: World) -> None:
    world.newer = True
    world.program.pins["--update"] = NEW
    assert now(world.renews()) is True
    assert ["--update" in call for call in world.program.calls] == [False, True]


def test_an_index_that_was_made_anew_meanwhile_is_a_newer_state(world: World) -> None:
    assert now(world.renews(NEW)) is True
    assert world.program.calls == []


def test_a_file_that_is_gone_for_good_costs_one_fetch_in_minutes(world: World) -> None:
    held = world.program.held = Deferred()
    asked = [world.renews() for _ in range(50)]
    assert not any(one.called for one in asked)
    held.callback(None)
    assert [now(one) for one in asked] == [False] * 50
    assert now(world.renews()) is False
    assert len(world.program.calls) == 1
    world.clock.advance(300)
    assert now(world.renews()) is False
    assert len(world.program.calls) == 2


def test_what_fails_is_logged_and_leaves_the_first_error_to_the_client(world: World) -> None:
    world.program.exit = Exit(1, None, False)
    assert now(world.renews()) is False
    assert len(world.logged) == 1


def test_nobody_waits_longer_than_a_minute(world: World) -> None:
    held = world.program.held = Deferred()
    world.program.pins["--update"] = NEW
    asked = world.renews()
    world.clock.advance(60)
    assert now(asked) is False
    held.callback(None)
    assert now(world.renews()) is True

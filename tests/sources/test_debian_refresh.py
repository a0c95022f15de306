"""An index that is made anew when apt has newer lists."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from nixery.concurrency.process import Exit
from nixery.errors import SourceUnavailable
from nixery.sources import debian_index
from tests.sources.debian_world import GOOD, NEW, OLD, TTL, World, debian_world, now


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with debian_world(tmp_path, monkeypatch) as world:
        yield world


def test_lists_that_are_not_newer_start_nothing_and_are_looked_at_once_in_the_time_to_live(world: World) -> None:
    for _ in range(3):
        assert world.pin() == OLD
        world.clock.advance(99.9)
    assert (world.looks, world.program.calls) == (1, [])
    world.clock.advance(1)
    world.pin()
    assert (world.looks, world.program.calls) == (2, [])


def test_a_clock_that_was_put_back_puts_nothing_off(world: World) -> None:
    world.clock.advance(86_400)
    world.pin()
    world.clock.rightNow -= 86_400
    for _ in range(2):
        world.pin()
    assert world.looks == 2


def test_newer_lists_make_the_index_anew_of_the_same_architectures(world: World) -> None:
    world.newer = True
    world.program.pins["lists"] = NEW
    assert world.pin() == NEW
    assert world.program.calls == [("/bin/index", str(world.index), "--arch=amd64", "--arch=arm64")]
    assert world.program.environments[0]["APT_CONFIG"] == "/x"
    assert world.logged == [f"the index {world.index} was made anew of apt's lists in 0.0 s, and is {NEW}"]


def test_all_who_ask_wait_for_one_refresh(world: World) -> None:
    world.newer = True
    world.program.pins["lists"] = NEW
    held = world.program.held = Deferred()
    asked = [world.asks() for _ in range(50)]
    assert not any(one.called for one in asked)
    held.callback(None)
    assert {now(one).pin for one in asked} == {NEW}
    assert (world.looks, len(world.program.calls)) == (1, 1)


def test_a_refresh_that_takes_long_goes_on_without_those_who_asked(world: World) -> None:
    world.newer = True
    world.program.pins["lists"] = NEW
    held = world.program.held = Deferred()
    first = world.asks()
    world.clock.advance(59)
    second = world.asks()
    assert not second.called
    world.clock.advance(1)
    assert (now(first).pin, now(second).pin, world.pin()) == (OLD, OLD, OLD)
    held.callback(None)
    assert world.pin() == NEW
    assert len(world.program.calls) == 1


def test_a_refresh_that_hangs_past_the_time_to_live_is_not_started_again(world: World) -> None:
    world.newer = True
    world.program.held = Deferred()
    world.asks()
    world.clock.advance(TTL + 1)
    assert world.pin() == OLD
    assert len(world.program.calls) == 1


@pytest.mark.parametrize(
    ("exit", "words"),
    [
        (Exit(1, None, False), "E: no route to http://mirror.example/; [Knixery-debian-index: no lists"),
        (Exit(None, 15, True), "nixery-debian-index took longer than 900 s; E: no route"),
        (Exit(None, 9, False), "no lists"),
    ],
)
def test_an_index_that_cannot_be_made_anew_goes_on_being_used(world: World, exit: Exit, words: str) -> None:
    world.newer = True
    world.program.exit = exit
    assert (world.pin(), world.pin()) == (OLD, OLD)
    (line,) = world.logged
    assert line.startswith(f"the index {world.index} stays as it is: ")
    assert words in line
    assert "secret" not in line
    world.program.exit = GOOD
    world.program.pins["lists"] = NEW
    world.clock.advance(TTL)
    assert world.pin() == NEW


def test_a_program_that_is_gone_is_said_in_one_line(world: World) -> None:
    world.newer = True
    world.program.error = FileNotFoundError(2, "No such file or directory")
    assert world.pin() == OLD
    assert world.logged == [
        f"the index {world.index} stays as it is: /bin/index cannot be started: No such file or directory"
    ]


def test_a_host_without_apt_never_refreshes_and_never_complains(world: World) -> None:
    world.newer = True
    world.apt.unlink()
    assert world.pin() == OLD
    assert now(world.renews()) is False
    assert (world.program.calls, world.logged) == ([], [])


def test_an_index_that_may_not_be_written_is_said_once_and_left_alone(world: World) -> None:
    world.newer = True
    world.writable = False
    for _ in range(3):
        assert world.pin() == OLD
        assert now(world.renews()) is False
        world.clock.advance(TTL)
    assert world.program.calls == []
    (line,) = world.logged
    assert "cannot be written by this user" in line


def test_an_index_that_is_gone_is_an_error_all_the_same(world: World) -> None:
    (world.index / "index.json").unlink()
    errors: list[Failure] = []
    world.asks().addErrback(errors.append)
    assert errors[0].check(SourceUnavailable)


def test_who_may_write_beside_an_index_may_replace_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.d" / OLD).mkdir(parents=True)
    (tmp_path / "index").symlink_to(tmp_path / "index.d" / OLD)
    assert debian_index.may_be_replaced(str(tmp_path / "index"))
    for closed in (tmp_path, tmp_path / "index.d"):
        monkeypatch.setattr(os, "access", lambda folder, mode, closed=closed: folder != str(closed))
        assert not debian_index.may_be_replaced(str(tmp_path / "index"))

"""The git source over a git that only pretends: what is asked of it, and when."""

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from nixery.errors import ManifestUnknown
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.git import GitUpstream
from nixery.sources.git_program import Git
from nixery.sources.interfaces import Origin
from tests.sources.git_world import LATEST, URL, A, B, C, StandIn, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_pin_is_the_commit_and_nix_is_told_where_it_lies(world: World, tmp_path: Path) -> None:
    pinned = world.pinned(LATEST)
    assert (pinned.kind, pinned.pin, pinned.expression) == ("git", A, "/git.nix")
    arguments = dict(pinned.arguments)
    assert arguments.pop("url").startswith(f"file://{tmp_path}/a%20b/")
    assert arguments == {"commit": A}
    assert world.pinned(Tag("main")) == pinned, "two refs at one commit are the same set"


def test_within_the_time_to_live_a_pin_starts_nothing_and_after_it_the_server_is_asked(world: World) -> None:
    world.pinned(LATEST)
    calls = len(world.git.calls)
    world.git.refs["HEAD"] = C
    world.clock.advance(299.9)
    assert world.pinned(LATEST).pin == A
    assert len(world.git.calls) == calls
    world.clock.advance(0.2)
    assert world.pinned(LATEST).pin == C
    assert (world.git.count("ls-remote"), world.git.count("fetch")) == (2, 2)


def test_the_age_of_an_answer_counts_from_the_question(world: World) -> None:
    world.git.held = Deferred()
    world.pin(LATEST)
    world.clock.advance(200)
    world.git.held.callback(None)
    world.clock.advance(150)
    world.git.held = None
    world.pinned(LATEST)
    assert world.git.count("ls-remote") == 2


def test_fifty_that_ask_at_once_cost_one_look_and_one_fetch(world: World) -> None:
    held = world.git.held = Deferred()
    waiters = [world.pin(LATEST) for _ in range(50)]
    waiters[0].addErrback(lambda _: None).cancel()
    world.git.held = None
    held.callback(None)
    pins: list[PinnedSource] = []
    for waiter in waiters[1:]:
        waiter.addCallback(pins.append)
    assert [pin.pin for pin in pins] == [A] * 49
    assert (world.git.count("ls-remote"), world.git.count("fetch")) == (1, 1)


def test_a_commit_by_its_id_asks_for_no_refs_and_once_here_for_nothing(world: World) -> None:
    assert world.pinned(Tag("C" * 40)).pin == C
    calls = len(world.git.calls)
    assert world.pinned(Tag(C)).pin == C
    assert (world.git.count("ls-remote"), len(world.git.calls)) == (0, calls)


def test_what_an_earlier_daemon_fetched_is_not_fetched(world: World) -> None:
    world.git.here.add(C)
    assert world.pinned(Tag(C)).pin == C
    assert world.git.count("fetch") == 0


def test_an_unknown_ref_is_no_call_of_git_with_it(world: World) -> None:
    error = world.refused(Tag("nexT"))
    assert isinstance(error, ManifestUnknown)
    assert "did you mean next?" in error.message
    assert [call[0] for call in world.git.calls] == ["ls-remote"]


def test_a_commit_is_no_ref_that_moves(world: World) -> None:
    world.pinned(Tag(A))
    assert not world.source.lasting(Tag(A))
    assert world.source.lasting(LATEST)
    assert world.source.origin == Origin("the git repository https://example.org/set.git", refs=True)


def test_one_look_tells_of_all_refs(world: World) -> None:
    assert (world.pinned(LATEST).pin, world.pinned(Tag("next")).pin) == (A, B)
    assert world.git.count("ls-remote") == 1


def test_each_repository_has_a_folder_of_its_own(tmp_path: Path) -> None:
    urls = set()
    for url in (URL, URL + "x"):
        upstream = GitUpstream(url, Git(StandIn(), {}), "/git.nix", str(tmp_path), Clock(), 300)
        outcome: list[PinnedSource] = []
        Deferred.fromCoroutine(upstream.have(A)).addCallback(outcome.append)
        urls.add(dict(outcome[0].arguments)["url"])
    assert len(urls) == 2


def test_a_clock_that_is_set_back_has_the_server_asked_again(world: World) -> None:
    world.clock.advance(100_000)
    world.pinned(LATEST)
    world.clock.rightNow -= 90_000
    world.git.refs["HEAD"] = C
    assert world.pinned(LATEST).pin == C

"""The git source over a git that only pretends: servers that fail, and what they do not have."""

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from nixery.concurrency.process import Exit
from nixery.errors import ManifestUnknown, SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from tests.sources.git_world import LATEST, URL, A, B, C, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("verb", ["ls-remote", "fetch"])
def test_a_server_that_fails_is_named_without_its_password_in_its_own_words(world: World, verb: str) -> None:
    said = f"warning: x\nfatal: no\x1b[31m way to '{URL}'\n\nPlease make sure you have the correct access rights\n"
    world.git.answers[verb] = (Exit(128, None, False), said.encode())
    error = world.refused(LATEST)
    assert isinstance(error, SourceUnavailable)
    assert "https://example.org/set.git" in error.message
    assert "fatal: no[31m way to 'https://example.org/set.git'" in error.message
    assert "secret" not in error.message
    del world.git.answers[verb]
    world.clock.advance(15)
    assert world.pinned(LATEST).pin == A, "a failure is not remembered for long"


def test_a_server_that_tells_of_nothing_is_no_verdict(world: World) -> None:
    world.pinned(LATEST)
    world.git.refs.clear()
    world.clock.advance(300)
    error = world.refused(LATEST)
    assert isinstance(error, SourceUnavailable)
    assert "https://example.org/set.git tells of no branch and no git tag: it is empty, has SHA-256" in error.message


def test_a_server_that_is_silent_is_named_with_the_time_it_had(world: World) -> None:
    world.git.answers["ls-remote"] = (Exit(None, 15, True), b"")
    assert "no answer in 30 s" in world.refused(LATEST).message
    world.git.answers = {"fetch": (Exit(None, 15, True), b"")}
    world.clock.advance(15)
    assert "not done in 600 s" in world.refused(LATEST).message


def test_a_commit_that_the_server_does_not_have_is_unknown(world: World) -> None:
    world.git.answers["fetch"] = (Exit(128, None, False), b"fatal: remote error: upload-pack: not our ref c\n")
    assert isinstance(world.refused(Tag(C)), ManifestUnknown)
    assert world.git.count("fetch") == 1


def test_a_branch_that_was_moved_by_force_is_looked_up_anew(world: World) -> None:
    world.pinned(LATEST)
    world.git.answers["fetch"] = (Exit(128, None, False), b"fatal: remote error: upload-pack: not our ref b\n")
    assert isinstance(world.refused(Tag("next")), SourceUnavailable)
    del world.git.answers["fetch"]
    world.git.refs["refs/heads/next"] = C
    world.clock.advance(15)
    assert world.pinned(Tag("next")).pin == C


def test_ids_that_nobody_has_do_not_hold_up_a_branch(world: World) -> None:
    world.pinned(LATEST)
    held = world.git.held = Deferred()
    waiting = [world.pin(Tag(f"{number:040x}")) for number in range(100)]
    busy = [failure for waiter in waiting if (failure := _failure(waiter)) is not None]
    assert len(busy) == 79
    assert {str(failure.value) for failure in busy} == {
        "20 commits of the git repository https://example.org/set.git are waited for already: ask again later"
    }
    branch = world.pin(Tag("next"))
    held.callback(None)
    outcome: list[PinnedSource] = []
    branch.addCallback(outcome.append)
    assert [pinned.pin for pinned in outcome] == [B]


def _failure(waiter: Deferred[PinnedSource]) -> Failure | None:
    """What it failed with, if it has."""
    failures: list[Failure] = []
    waiter.addErrback(failures.append)
    return failures[0] if failures else None


def test_all_history_is_fetched_at_most_once_within_the_time_to_live_for_ids_that_nobody_has(world: World) -> None:
    refusal = b"error: Server does not allow request for unadvertised object\n"
    world.git.answers["fetch"] = (Exit(1, None, False), refusal)
    assert isinstance(world.refused(Tag(C)), SourceUnavailable)
    assert isinstance(world.refused(Tag(B)), ManifestUnknown)
    assert [call[-4] for call in world.git.calls if "--depth=2147483647" in call] == ["--"]
    world.clock.advance(300)
    assert isinstance(world.refused(Tag(B)), SourceUnavailable)
    assert sum("--depth=2147483647" in call for call in world.git.calls) == 2

"""The git source over a git that only pretends."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from nixery.concurrency.output import Sink
from nixery.concurrency.process import Exit, Processes
from nixery.errors import ManifestUnknown, NixeryError, SourceUnavailable, public
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.git import GitUpstream
from nixery.sources.git_program import Git, git_environment
from nixery.sources.git_submodules import absolute
from nixery.sources.pins import Pins
from nixery.storage.memory import MemoryStorage

A, B, C = ("abc"[n] * 40 for n in range(3))
URL = "https://me:secret@example.org/set.git"
LATEST = Tag("latest")


class StandIn(Processes):
    """A git with a server whose refs, and what it says no to, the tests set."""

    def __init__(self) -> None:
        self.calls: list[Sequence[str]] = []
        self.refs = {"HEAD": A, "refs/heads/main": A, "refs/heads/next": B}
        self.here: set[str] = set()
        self.answers: dict[str, tuple[Exit, bytes]] = {}
        self.held: Deferred[None] | None = None

    def program(self, name: str) -> str:
        return f"/bin/{name}"

    async def run(
        self, command: Sequence[str], environment: Mapping[str, str], stdout: Sink, stderr: Sink, seconds: float
    ) -> Exit:
        words = [word for word in command[5:] if word != "-C"]
        self.calls.append(words)
        if self.held is not None:
            await self.held
        verb = next(word for word in words if word in ("ls-remote", "init", "fetch", "rev-parse", "update-ref"))
        if verb in self.answers:
            exit, said = self.answers[verb]
            stderr.write(said)
            return exit
        return getattr(self, "_" + verb.replace("-", "_"))(words, stdout) or Exit(0, None, False)

    def count(self, verb: str) -> int:
        return sum(verb in call for call in self.calls)

    def _init(self, words: Sequence[str], stdout: Sink) -> None: ...

    def _ls_remote(self, words: Sequence[str], stdout: Sink) -> None:
        for name, commit in self.refs.items():
            stdout.write(f"{commit}\t{name}\n".encode())

    def _fetch(self, words: Sequence[str], stdout: Sink) -> None:
        self.here.add(words[-1].rpartition("/")[2])

    def _rev_parse(self, words: Sequence[str], stdout: Sink) -> None:
        commit = words[-1].removeprefix("refs/nixery/").removesuffix("^{commit}")
        stdout.write(f"{commit}\n".encode() if commit in self.here else b"")


class World:
    """A source over a stand-in."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.git = StandIn()
        upstream = GitUpstream(URL, Git(self.git, {}), "/git.nix", str(folder / "a b"), self.clock, 300)
        self.source = Pins(upstream, MemoryStorage(), self.clock, 300)

    def pin(self, tag: Tag) -> Deferred[PinnedSource]:
        return Deferred.fromCoroutine(self.source.pin(tag))

    def pinned(self, tag: Tag) -> PinnedSource:
        outcomes: list[PinnedSource] = []
        self.pin(tag).addCallback(outcomes.append)
        return outcomes[0]

    def refused(self, tag: Tag) -> NixeryError:
        errors: list[NixeryError] = []

        def take(failure: Failure) -> None:
            assert isinstance(failure.value, NixeryError)
            errors.append(failure.value)

        self.pin(tag).addErrback(take)
        return errors[0]


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


def test_a_commit_is_no_ref_that_moves(world: World) -> None:
    world.pinned(Tag(A))
    assert world.source.lasting(Tag(A)) is None
    assert world.source.lasting(LATEST) == "the git repository https://example.org/set.git"


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


def test_a_branch_that_was_moved_by_force_is_looked_up_anew(world: World) -> None:
    world.pinned(LATEST)
    world.git.answers["fetch"] = (Exit(128, None, False), b"fatal: remote error: upload-pack: not our ref b\n")
    assert isinstance(world.refused(Tag("next")), SourceUnavailable)
    del world.git.answers["fetch"]
    world.git.refs["refs/heads/next"] = C
    world.clock.advance(15)
    assert world.pinned(Tag("next")).pin == C


def test_a_clock_that_is_set_back_has_the_server_asked_again(world: World) -> None:
    world.clock.advance(100_000)
    world.pinned(LATEST)
    world.clock.rightNow -= 90_000
    world.git.refs["HEAD"] = C
    assert world.pinned(LATEST).pin == C


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


def test_the_users_ways_to_log_in_are_kept_and_nothing_asks() -> None:
    users = {"SSH_AUTH_SOCK": "/s", "GIT_SSH_COMMAND": "ssh -i x", "HOME": "/h", "GIT_DIR": "/d", "SSH_ASKPASS": "/x"}
    environment = git_environment(users, "/bin/false")
    assert {name: environment[name] for name in ("SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "HOME")} == {
        **{"SSH_AUTH_SOCK": "/s", "GIT_SSH_COMMAND": "ssh -i x", "HOME": "/h"}
    }
    assert "GIT_DIR" not in environment
    assert (environment["GIT_TERMINAL_PROMPT"], environment["SSH_ASKPASS_REQUIRE"]) == ("0", "never")
    assert environment["GIT_ASKPASS"] == environment["SSH_ASKPASS"] == "/bin/false"
    assert git_environment({"GIT_ASKPASS": "/token"}, "/bin/false")["GIT_ASKPASS"] == "/token"
    assert (environment["GIT_HTTP_LOW_SPEED_LIMIT"], environment["GIT_HTTP_LOW_SPEED_TIME"]) == ("1", "60")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pass@word@host/a@b", "https://host/a@b"),
        ("ssh://git@host:22/a", "ssh://host:22/a"),
        ("git@host:a/b", "git@host:a/b"),
        ("/srv/set", "/srv/set"),
    ],
)
def test_a_url_is_shown_without_who_and_password(url: str, shown: str) -> None:
    assert public(url) == shown


@pytest.mark.parametrize(
    ("parent", "url", "whole"),
    [
        ("https://host/a/set.git", "../lib.git", "https://host/a/lib.git"),
        ("ssh://me@host:22/a/set", "./lib", "ssh://me@host:22/a/set/lib"),
        ("git@host:a/set", "../lib", "git@host:a/lib"),
        ("/srv/set", "../lib", "/srv/lib"),
        ("file:///srv/set", "../lib", "file:///srv/lib"),
        ("/srv/set", "https://host/lib", "https://host/lib"),
    ],
)
def test_a_submodules_url_may_start_from_its_parents(parent: str, url: str, whole: str) -> None:
    assert absolute(parent, url) == whole


@pytest.mark.parametrize("login", ["me:p'w", 'me:p"w', "me:p@w", "me", ":pw"])
def test_a_login_is_left_out_whatever_it_is_made_of(login: str) -> None:
    assert public(f"cannot read 'https://{login}@host/x'.") == "cannot read 'https://host/x'."

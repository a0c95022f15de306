"""Fetching tarballs with a nix-prefetch-url that only pretends."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from nixery.concurrency.output import Sink
from nixery.concurrency.pool import Inline
from nixery.concurrency.process import Exit, Processes
from nixery.errors import ManifestUnknown, SourceUnavailable
from nixery.sources.tarball import Tarballs

URL = "http://me:secret@mirror.example/archive/a.tar.gz"
HASH = "0" * 51 + "z"
GOOD = Exit(0, None, False)
PAGE = """warning: error: unable to download 'http://x': HTTP error 503; retrying in 290 ms
error: unable to download 'http://me:secret@mirror.example/archive/a.tar.gz': HTTP error 404 ('Not Found')

       response body:

       error: the set is perfect
"""


class StandIn(Processes):
    """A nix-prefetch-url that ends as the tests say."""

    def __init__(self, printed: str) -> None:
        self.calls: list[Sequence[str]] = []
        self.outcome: tuple[Exit, str, str] | OSError = (GOOD, printed, "path is '/nix/store/x'\n")
        self.held: Deferred[None] | None = None

    def program(self, name: str) -> str:
        return f"/bin/{name}"

    async def run(
        self, command: Sequence[str], environment: Mapping[str, str], stdout: Sink, stderr: Sink, seconds: float
    ) -> Exit:
        assert environment == {"NIX_CONFIG": "x"}
        assert seconds == 600
        self.calls.append(command)
        if self.held is not None:
            await self.held
        if isinstance(self.outcome, OSError):
            raise self.outcome
        exit, out, words = self.outcome
        stdout.write(out.encode())
        stderr.write(words.encode())
        return exit


class World:
    """Tarballs over a stand-in, with a package set where it says that it unpacked one."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "source"
        self.tree.mkdir()
        (self.tree / "default.nix").write_text("{ }")
        self.nix = StandIn(f"{HASH}\n{self.tree}\n")
        self.tarballs = Tarballs(self.nix, {"NIX_CONFIG": "x"}, Inline())

    def hash(self, url: str = URL) -> list[str | Failure]:
        outcome: list[str | Failure] = []
        Deferred.fromCoroutine(self.tarballs.hash(url)).addBoth(outcome.append)
        return outcome

    def refused(self) -> BaseException:
        outcome = self.hash()[0]
        assert isinstance(outcome, Failure)
        assert "secret" not in str(outcome.value)
        assert outcome.value is not None
        return outcome.value


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_tarball_is_fetched_once_and_its_url_is_no_option(world: World) -> None:
    assert world.hash() == world.hash() == [HASH]
    assert len(world.nix.calls) == 1
    assert world.nix.calls[0][-2:] == ("--", URL)
    assert world.hash(URL + "x") == [HASH]
    assert len(world.nix.calls) == 2


def test_fifty_that_ask_at_once_cost_one_fetch(world: World) -> None:
    held = world.nix.held = Deferred()
    outcomes = [world.hash() for _ in range(50)]
    held.callback(None)
    assert outcomes == [[HASH]] * 50
    assert len(world.nix.calls) == 1


def test_what_is_not_there_is_unknown(world: World) -> None:
    world.nix.outcome = (Exit(1, None, False), "", PAGE)
    error = world.refused()
    assert isinstance(error, ManifestUnknown)
    assert error.message == "there is no http://mirror.example/archive/a.tar.gz"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ((Exit(1, None, False), "", PAGE.replace("404", "503")), "HTTP error 503 ('Not Found')"),
        ((Exit(1, None, False), "", f"error:\n  \x1b[31merror: no way to {URL}\n"), "no way to http://mirror.example"),
        ((Exit(1, None, False), "", "x\nout of memory\n"), "out of memory"),
        ((Exit(None, 9, False), "", ""), "did not say why"),
        ((Exit(None, 15, True), "", "x"), "not done in 600 s"),
        ((GOOD, "what?\n", ""), "did not say why"),
        ((GOOD, "x" * 10_000_000, "y" * 10_000_000), "y"),
        (OSError(2, "No such file or directory"), "/bin/nix-prefetch-url cannot be started: No such file"),
    ],
)
def test_what_goes_wrong_is_told_in_words_and_tried_again_when_asked(
    world: World, outcome: tuple[Exit, str, str] | OSError, words: str
) -> None:
    good, world.nix.outcome = world.nix.outcome, outcome
    error = world.refused()
    assert isinstance(error, SourceUnavailable)
    assert words in error.message
    assert len(error.message) < 600
    assert error.message.isprintable()
    world.nix.outcome = good
    assert world.hash() == [HASH]


def test_a_page_that_nix_took_for_a_tarball_is_not_believed(world: World) -> None:
    (world.tree / "default.nix").unlink()
    error = world.refused()
    assert isinstance(error, SourceUnavailable)
    assert "no package set in a tarball" in error.message
    (world.tree / "flake.nix").write_text("")
    assert world.hash() == [HASH]

"""The git source over a git that only pretends."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from nixery.concurrency.output import Sink
from nixery.concurrency.process import Exit, Processes
from nixery.errors import NixeryError
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.git import GitUpstream
from nixery.sources.git_program import Git
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

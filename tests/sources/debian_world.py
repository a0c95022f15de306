"""A Debian source over an apt, and a nixery-debian-index, that only pretend."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, capturedLogs, formatEvent

from nixery.concurrency.output import Sink
from nixery.concurrency.pool import Inline
from nixery.concurrency.process import Exit, Processes
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources import debian_refresh
from nixery.sources.debian import DebianSource
from nixery.sources.debian_program import IndexProgram
from nixery.sources.debian_refresh import Refresher

V = TypeVar("V")
TTL = 300.0
OLD, NEW = "a" * 64, "b" * 64
GOOD = Exit(0, None, False)


class StandIn(Processes):
    """Makes an index with the pin that the tests set, or fails as they say."""

    def __init__(self, index: Path) -> None:
        self.index = index
        self.calls: list[tuple[str, ...]] = []
        self.environments: list[Mapping[str, str]] = []
        self.pins: dict[str, str] = {"lists": OLD, "--update": OLD}
        self.exit = GOOD
        self.error: Exception | None = None
        self.held: Deferred[None] | None = None

    async def run(
        self, command: Sequence[str], environment: Mapping[str, str], stdout: Sink, stderr: Sink, seconds: float
    ) -> Exit:
        self.calls.append(tuple(command))
        self.environments.append(environment)
        if self.error is not None:
            raise self.error
        if self.held is not None:
            await self.held
        stderr.write(
            b"reading\nE: no route to http://me:secret@mirror.example/\n\x1b[Knixery-debian-index: no lists\n\n"
        )
        if self.exit == GOOD:
            write(self.index, self.pins["--update" if "--update" in command else "lists"])
        return self.exit


class World:
    """A source with a refresher; `newer` is what a look at apt's lists would say."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.index = folder / "index"
        self.index.mkdir()
        write(self.index, OLD)
        self.clock = Clock()
        self.clock.advance(1_000_000_000)
        self.program = StandIn(self.index)
        self.looks = 0
        self.newer = False
        (folder / "bin").mkdir()
        self.apt = folder / "bin" / "apt-get"
        self.apt.touch(0o755)
        program = IndexProgram(self.program, {"PATH": str(folder / "bin"), "APT_CONFIG": "/x"}, ("/bin/index",))
        refresher = Refresher(str(self.index), program, self._newer, Inline(), self.clock, TTL)
        self.source = DebianSource(str(self.index), "/expressions/debian", Inline(), refresher)
        self.writable = True
        monkeypatch.setattr(debian_refresh, "may_be_replaced", lambda _: self.writable)
        self.events: Sequence[LogEvent] = []

    def _newer(self, index: str) -> bool:
        assert index == str(self.index)
        self.looks += 1
        return self.newer

    @property
    def logged(self) -> list[str]:
        """What the refresher has said."""
        return [formatEvent(event) for event in self.events if event["log_namespace"].startswith("nixery.sources.")]

    def asks(self) -> Deferred[PinnedSource]:
        return Deferred.fromCoroutine(self.source.pin(Tag("latest")))

    def pin(self) -> str:
        return now(self.asks()).pin

    def renews(self, pin: str = OLD) -> Deferred[bool]:
        return Deferred.fromCoroutine(self.source.renew(PinnedSource("debian", pin, "/expressions/debian")))


def now(asked: Deferred[V]) -> V:
    outcomes: list[V] = []
    asked.addCallback(outcomes.append)
    return outcomes[0]


def write(index: Path, pin: str) -> None:
    (index / "index.json").write_text(json.dumps({"pin": pin, "architectures": ["amd64", "arm64"]}))


@contextmanager
def debian_world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(folder, monkeypatch)
    with capturedLogs() as world.events:
        yield world

"""The path source on a folder that the test edits, with pools that tell how often it was walked."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from nixery.concurrency.pool import Inline, Pool
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources import folder as folder_module
from nixery.sources.content import nar_hash
from nixery.sources.path import PathSource

LATEST = Tag("latest")
EXPRESSION = "/lib/path.nix"
P = ParamSpec("P")
T = TypeVar("T")


class Slow:
    """A pool whose functions run when they are called, and whose results come when they are let go."""

    def __init__(self) -> None:
        self.walks: list[Deferred[None]] = []

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        result = function(*args, **kwargs)
        gate: Deferred[None] = Deferred()
        self.walks.append(gate)
        await gate
        return result


class Counting(Inline):
    def __init__(self) -> None:
        self.walks = 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self.walks += 1
        return function(*args, **kwargs)


class PathTestCase(SynchronousTestCase):
    """A folder with two files, and a source on it."""

    @pytest.fixture(autouse=True)
    def surroundings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = tmp_path / "set"
        self.monkeypatch = monkeypatch
        (self.folder / "sub").mkdir(parents=True)
        (self.folder / "default.nix").write_text("{ }")
        (self.folder / "sub" / "a.nix").write_text("1")

    def setUp(self) -> None:
        self.clock = Clock()
        self.pool = Counting()
        self.source = self.made(self.folder)

    def made(self, path: Path, pool: Pool | None = None, seconds: float = 60) -> PathSource:
        source = PathSource(str(path), EXPRESSION, pool or self.pool, self.clock, 2, seconds)
        source.startService()
        self.addCleanup(lambda: source.running and source.stopService())
        return source

    def pin(self, source: PathSource | None = None) -> str:
        return self.pinned(source or self.source).pin

    def pinned(self, source: PathSource, tag: Tag = LATEST) -> PinnedSource:
        return self.successResultOf(Deferred.fromCoroutine(source.pin(tag)))

    def renew(self, pinned: PinnedSource) -> bool:
        return self.successResultOf(Deferred.fromCoroutine(self.source.renew(pinned)))

    def content(self) -> str:
        return nar_hash(str(self.folder))

    def settled(self) -> None:
        """As if nothing had been edited for a while."""
        now = time.time_ns()
        self.monkeypatch.setattr(time, "time_ns", lambda: now + 3 * 10**9)

    def shared(self) -> None:
        self.monkeypatch.setattr(folder_module, "shared_mount", lambda path: "nfs4 at /somewhere")

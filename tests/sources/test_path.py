import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from inotify_simple import INotify
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from nixery.concurrency.pool import Inline, Pool
from nixery.errors import ManifestUnknown, ShuttingDown, SourceUnavailable
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


class PathTests(SynchronousTestCase):
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

    def test_the_pin_is_the_contents_whatever_the_place_and_the_tag(self) -> None:
        pinned = self.pinned(self.source)
        arguments = (("folder", str(self.folder)), ("hash", self.content()))
        assert pinned == PinnedSource("path", self.content(), EXPRESSION, arguments)
        assert self.pinned(self.source, Tag("v1")) == pinned
        moved = self.folder.rename(self.folder.with_name("moved"))
        assert self.pin(self.made(moved)) == pinned.pin

    def test_while_nothing_is_edited_nothing_is_read(self) -> None:
        first = self.pin()
        (self.folder / "sub" / "a.nix").read_text()
        assert [self.pin() for _ in range(100)] == [first] * 100
        assert self.pool.walks == 1

    def test_an_edit_is_seen_at_once_and_walked_for_once(self) -> None:
        first = self.pin()
        (self.folder / "sub" / "a.nix").write_text("2")
        assert first != self.pin() == self.pin() == self.content()
        assert self.pool.walks == 2

    def test_many_who_ask_at_once_share_a_walk(self) -> None:
        slow = Slow()
        source = self.made(self.folder, slow)
        asked = [Deferred.fromCoroutine(source.pin(LATEST)) for _ in range(50)]
        slow.walks[0].callback(None)
        assert {self.successResultOf(each).pin for each in asked} == {self.content()}
        assert len(slow.walks) == 1

    def test_an_edit_during_a_walk_is_seen_by_all_who_ask_after_it(self) -> None:
        slow = Slow()
        source = self.made(self.folder, slow)
        early = Deferred.fromCoroutine(source.pin(LATEST))
        before = self.content()
        (self.folder / "sub" / "a.nix").write_text("2")
        late = Deferred.fromCoroutine(source.pin(LATEST))
        slow.walks[0].callback(None)
        assert self.successResultOf(early).pin == before
        slow.walks[1].callback(None)
        assert self.successResultOf(late).pin == self.content() != before
        assert self.pin(source) == self.content()

    def test_an_edit_during_a_walk_is_seen_by_who_asks_when_it_has_ended(self) -> None:
        slow = Slow()
        source = self.made(self.folder, slow)
        Deferred.fromCoroutine(source.pin(LATEST))
        (self.folder / "sub" / "a.nix").write_text("2")
        slow.walks[0].callback(None)
        late = Deferred.fromCoroutine(source.pin(LATEST))
        slow.walks[1].callback(None)
        assert self.successResultOf(late).pin == self.content()

    def test_the_path_is_followed_when_it_comes_to_lead_elsewhere(self) -> None:
        link = self.folder.with_name("link")
        link.symlink_to("set")
        source = self.made(link)
        first = self.pin(source)
        other = self.folder.with_name("other")
        other.mkdir()
        (new := self.folder.with_name("new")).symlink_to("other")
        new.rename(link)
        assert first != self.pin(source) == nar_hash(str(other))
        (other / "default.nix").write_text("more")
        assert self.pin(source) == nar_hash(str(other))

    def test_a_folder_that_takes_the_place_of_the_set_is_the_set(self) -> None:
        first = self.pin()
        self.folder.rename(self.folder.with_name("old"))
        self.folder.mkdir()
        (self.folder / "default.nix").write_text("new")
        assert first != self.pin() == self.content()

    def test_a_set_below_a_parent_that_is_replaced_is_followed(self) -> None:
        deep = self.folder / "sub"
        source = self.made(deep)
        assert self.pin(source) == nar_hash(str(deep))
        self.folder.rename(self.folder.with_name("old"))
        deep.mkdir(parents=True)
        assert self.pin(source) == nar_hash(str(deep))

    def test_one_file_may_be_the_set_and_a_link_may_lead_to_it(self) -> None:
        link = self.folder.with_name("link")
        link.symlink_to(self.folder / "default.nix")
        source = self.made(link)
        assert self.pin(source) == nar_hash(str(self.folder / "default.nix"))
        (self.folder / "default.nix").write_text("other")
        assert self.pin(source) == nar_hash(str(self.folder / "default.nix"))

    def test_a_store_path_is_its_own_pin_and_never_walked(self) -> None:
        store_path = self.folder.with_name("a" * 32 + "-set")
        store_path.mkdir(mode=0o555)
        source = self.made(store_path)
        self.monkeypatch.setattr(folder_module, "nar_hash", None)
        pinned = PinnedSource("path", str(store_path), EXPRESSION, (("folder", str(store_path)),))
        assert self.pinned(source) == self.pinned(source) == pinned
        assert self.pool.walks == 1
        self.monkeypatch.undo()
        store_path.chmod(0o755)
        assert len(self.pin(source)) == 64

    def test_a_link_that_switches_from_one_store_path_to_another_is_followed(self) -> None:
        link = self.folder.with_name("result")
        source = self.made(link)
        for letter in "ab":
            store_path = self.folder.with_name(letter * 32 + "-set")
            store_path.mkdir(mode=0o555)
            link.unlink(missing_ok=True)
            link.symlink_to(store_path)
            assert self.pin(source) == str(store_path)

    def test_what_cannot_be_read_is_named_and_tried_again(self) -> None:
        self.pin()
        away = self.folder.rename(self.folder.with_name("away"))
        error = self.failureResultOf(Deferred.fromCoroutine(self.source.pin(LATEST)), SourceUnavailable)
        assert f"set cannot be read: {self.folder}: No such file" in error.getErrorMessage()
        away.rename(self.folder)
        assert self.pin() == self.content()

    def test_where_edits_are_not_told_of_the_set_is_read_again_after_the_ttl(self) -> None:
        self.shared()
        first = self.pin()
        (self.folder / "default.nix").write_text("other")
        self.clock.advance(1.9)
        assert self.pin() == first
        self.clock.advance(0.1)
        assert first != self.pin() == self.content()
        assert self.pool.walks == 2

    def test_where_edits_are_not_told_of_a_clock_that_is_set_back_does_not_hide_them(self) -> None:
        self.shared()
        self.clock.advance(1000)
        first = self.pin()
        (self.folder / "default.nix").write_text("other")
        self.clock.rightNow -= 900
        assert first != self.pin() == self.content()

    def test_where_edits_are_not_told_of_nothing_is_read_again_unless_a_stamp_changed(self) -> None:
        self.shared()
        self.settled()
        reads: list[str] = []

        def read(path: str, seconds: float) -> str:
            reads.append(path)
            return nar_hash(path, seconds=seconds)

        self.monkeypatch.setattr(folder_module, "nar_hash", read)
        first = self.pin()
        self.clock.advance(2)
        assert (self.pin(), len(reads)) == (first, 1)
        os.utime(self.folder / "default.nix", (1, 1))
        self.clock.advance(2)
        assert (self.pin(), len(reads)) == (first, 2)

    def test_an_earlier_pin_is_had_again_while_it_is_the_newest(self) -> None:
        pinned = self.pinned(self.source)
        assert self.successResultOf(Deferred.fromCoroutine(self.source.again(pinned.pin))) is pinned
        (self.folder / "default.nix").write_text("other")
        error = self.failureResultOf(Deferred.fromCoroutine(self.source.again(pinned.pin)), ManifestUnknown)
        assert "set was edited since" in error.getErrorMessage()

    def test_there_is_a_newer_state_after_an_edit_even_one_that_was_undone(self) -> None:
        assert not self.renew(pinned := self.pinned(self.source))
        (self.folder / "default.nix").write_text("other")
        (self.folder / "default.nix").write_text("{ }")
        assert self.renew(pinned)
        assert self.pin() == pinned.pin

    def test_whether_there_is_a_newer_state_is_never_told_from_memory_where_edits_are_not_told_of(self) -> None:
        self.shared()
        self.settled()
        pinned = self.pinned(self.source)
        self.clock.advance(0.5)
        assert not self.renew(pinned)
        (self.folder / "default.nix").write_text("other")
        (self.folder / "default.nix").write_text("{ }")
        assert self.renew(pinned)

    def test_no_older_state_is_kept_for_later(self) -> None:
        assert self.source.lasting(LATEST) is None

    def test_a_file_that_may_not_be_read_is_named_in_letters_that_can_be_shown(self) -> None:
        (self.folder / "sub" / os.fsdecode(b"b\xff\n")).write_text("")
        real = os.open

        def refuses(path: str, flags: int) -> int:
            if "sub/b" in path:
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return real(path, flags)

        self.monkeypatch.setattr(os, "open", refuses)
        error = self.failureResultOf(Deferred.fromCoroutine(self.source.pin(LATEST)), SourceUnavailable)
        assert error.getErrorMessage().endswith(f"set cannot be read: {self.folder}/sub/b??: Permission denied")

    def test_a_folder_that_takes_too_long_to_read_is_given_up(self) -> None:
        source = self.made(self.folder, seconds=-1)
        error = self.failureResultOf(Deferred.fromCoroutine(source.pin(LATEST)), SourceUnavailable)
        assert "default.nix: reading all of the folder takes longer than -1 s" in error.getErrorMessage()

    def test_too_few_watches_make_it_read_again_after_the_ttl_and_one_line_says_so(self) -> None:
        def add_watch(inotify: INotify, path: str, mask: int) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        self.monkeypatch.setattr(INotify, "add_watch", add_watch)
        with capturedLogs() as lines:
            first = self.pin()
            (self.folder / "default.nix").write_text("other")
            assert self.pin() == first
            self.clock.advance(2)
            assert self.pin() == self.content()
        assert ["max_user_watches" in line["why"] for line in lines] == [True]

    def test_stopping_waits_for_the_walk_and_closes_the_descriptor(self) -> None:
        before = os.listdir("/proc/self/fd")
        slow = Slow()
        source = self.made(self.folder, slow)
        asked = Deferred.fromCoroutine(source.pin(LATEST))
        assert len(os.listdir("/proc/self/fd")) == len(before) + 1
        stopped = source.stopService()
        self.assertNoResult(stopped)
        late = Deferred.fromCoroutine(source.pin(LATEST))
        slow.walks[0].callback(None)
        self.successResultOf(asked)
        self.successResultOf(stopped)
        self.failureResultOf(late, ShuttingDown)
        assert len(os.listdir("/proc/self/fd")) == len(before)
        self.failureResultOf(Deferred.fromCoroutine(source.pin(LATEST)), ShuttingDown)

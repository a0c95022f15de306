"""The path source: what an edit costs and who sees it, and what cannot be read."""

import errno
import os

from twisted.internet.defer import Deferred

from nixery.errors import ManifestUnknown, ShuttingDown, SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from tests.sources.path_world import EXPRESSION, LATEST, PathTestCase, Slow


class PathTests(PathTestCase):
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

    def test_what_it_means_is_known_without_waiting_until_it_is_edited_or_stopped(self) -> None:
        assert self.source.current(LATEST) is None
        pinned = self.pinned(self.source)
        assert self.source.current(LATEST) is pinned
        (self.folder / "sub" / "a.nix").write_text("2")
        assert self.source.current(LATEST) is None
        self.pin()
        self.source.stopService()
        assert self.source.current(LATEST) is None
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

    def test_what_cannot_be_read_is_named_and_tried_again(self) -> None:
        self.pin()
        away = self.folder.rename(self.folder.with_name("away"))
        error = self.failureResultOf(Deferred.fromCoroutine(self.source.pin(LATEST)), SourceUnavailable)
        assert f"set cannot be read: {self.folder}: No such file" in error.getErrorMessage()
        away.rename(self.folder)
        assert self.pin() == self.content()

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

    def test_no_older_state_is_kept_for_later(self) -> None:
        assert not self.source.lasting(LATEST)

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

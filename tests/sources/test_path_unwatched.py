"""The path source where the kernel does not tell of edits."""

import errno
import os

from inotify_simple import INotify
from twisted.logger import capturedLogs

from nixery.sources import folder as folder_module
from nixery.sources.content import nar_hash
from tests.sources.path_world import PathTestCase


class UnwatchedPathTests(PathTestCase):
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

    def test_whether_there_is_a_newer_state_is_never_told_from_memory_where_edits_are_not_told_of(self) -> None:
        self.shared()
        self.settled()
        pinned = self.pinned(self.source)
        self.clock.advance(0.5)
        assert not self.renew(pinned)
        (self.folder / "default.nix").write_text("other")
        (self.folder / "default.nix").write_text("{ }")
        assert self.renew(pinned)

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

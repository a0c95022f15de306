import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nixery.sources.content import Content


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set" / "sub").mkdir(parents=True)
    (tmp_path / "set" / "default.nix").write_text("{ }")
    (tmp_path / "set" / "sub" / "a.nix").write_text("1")
    return tmp_path / "set"


def content_hash(folder: Path) -> str:
    return Content().hash(str(folder))


EDITS: dict[str, Callable[[Path], object]] = {
    "content": lambda folder: (folder / "sub" / "a.nix").write_text("2"),
    "mode": lambda folder: (folder / "sub" / "a.nix").chmod(0o755),
    "name": lambda folder: (folder / "sub" / "a.nix").rename(folder / "sub" / "b.nix"),
    "place": lambda folder: (folder / "sub" / "a.nix").rename(folder / "suba.nix"),
    "link": lambda folder: (folder / "link").symlink_to("elsewhere"),
    "folder": lambda folder: (folder / "empty").mkdir(),
    "odd name": lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/\xff\n")).write_text(""),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_every_edit_is_another_content(folder: Path, edit: Callable[[Path], object]) -> None:
    before = content_hash(folder)
    edit(folder)
    assert content_hash(folder) != before


def test_times_and_git_are_not_content(folder: Path) -> None:
    before = content_hash(folder)
    os.utime(folder / "default.nix", (1, 1))
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("x")
    assert content_hash(folder) == before


def test_the_hash_is_the_same_in_every_version(folder: Path) -> None:
    (folder / "sub" / "run").symlink_to("a.nix")
    (folder / "sub.nix").write_text("")
    (folder / "sub.nix").chmod(0o755)
    assert content_hash(folder) == "3499a64e0343be54409bdd1a2a2dbcb4fee6af51c817ee7415e0b90d6d69e552"


def test_a_pipe_is_no_content_and_holds_nobody(folder: Path) -> None:
    before = content_hash(folder)
    os.mkfifo(folder / "pipe")
    assert content_hash(folder) == before


def everything_is_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is looked at; not when it is read."""
    a_file = os.lstat(folder / "default.nix")
    monkeypatch.setattr(os, "lstat", lambda path: a_file)


def test_a_folder_or_socket_that_takes_the_name_of_a_file_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything_is_a_file(folder, monkeypatch)
    before = content_hash(folder)
    (folder / "other").mkdir()
    os.mknod(folder / "socket", stat.S_IFSOCK | 0o600)
    assert content_hash(folder) == before


def test_a_pipe_that_takes_the_name_of_a_file_holds_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything_is_a_file(folder, monkeypatch)
    os.mkfifo(folder / "pipe")
    assert len(content_hash(folder)) == 64


def test_folders_may_be_deeper_than_python_recurses(folder: Path) -> None:
    deep = [str(folder)]
    for _ in range(1_500):
        deep.append(f"{deep[-1]}/d")
        os.mkdir(deep[-1])
    try:
        assert len(content_hash(folder)) == 64
    finally:
        for below in reversed(deep[1:]):  # what clears tmp_path recurses
            os.rmdir(below)


def test_what_vanishes_after_it_was_listed_is_no_content(folder: Path) -> None:
    (folder / "b.nix").write_text("")
    (folder / "c").mkdir()
    (folder / "c" / "d.nix").write_text("")

    def enter(path: str) -> None:
        if path.endswith("/c"):
            (folder / "c" / "d.nix").unlink()
            (folder / "c").rmdir()
            (folder / "c").write_text("")
        if path.endswith("/sub"):
            (folder / "sub.nix").unlink()

    (folder / "sub.nix").write_text("")
    hashed = Content().hash(str(folder), enter)
    (folder / "c").unlink()
    assert hashed == content_hash(folder)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What files are opened."""
    opened: list[str] = []
    real = os.open

    def note(path: str, flags: int, *args: int, **kwargs: int) -> int:
        descriptor = real(path, flags, *args, **kwargs)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            opened.append(os.path.basename(path))
        return descriptor

    monkeypatch.setattr(os, "open", note)
    return opened


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + int(seconds * 1e9))


def test_only_what_changed_is_read_again(folder: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, 3)
    content = Content()
    before = content.hash(str(folder))
    assert reads == ["default.nix", "a.nix"]
    assert content.hash(str(folder)) == before
    (folder / "sub" / "a.nix").write_text("2")
    assert content.hash(str(folder)) == content_hash(folder) != before
    assert reads[:3] == ["default.nix", "a.nix", "a.nix"]
    assert sorted(reads[3:]) == ["a.nix", "default.nix"], "by the hash from scratch"


def test_what_was_changed_just_now_is_not_known_by_its_times(folder: Path, reads: list[str]) -> None:
    content = Content()
    content.hash(str(folder))
    content.hash(str(folder))
    assert len(reads) == 4


def test_no_more_files_are_remembered_than_said(
    folder: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, 3)
    content = Content(remembered=1)
    content.hash(str(folder))
    content.hash(str(folder))
    assert len(reads) == 3

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nixery.sources.content import nar_hash, stamps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set" / "sub").mkdir(parents=True)
    (tmp_path / "set" / "default.nix").write_text("{ }")
    (tmp_path / "set" / "sub" / "a.nix").write_text("1")
    return tmp_path / "set"


def content_hash(folder: Path) -> str:
    return nar_hash(str(folder))


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
    assert content_hash(folder) == "eb117f8483799c5160fc9089337b8da89128b6c4e127a760413245a6d2a8f070"


def test_a_pipe_is_no_content_and_holds_nobody(folder: Path) -> None:
    before = content_hash(folder)
    os.mkfifo(folder / "pipe")
    assert content_hash(folder) == before


REPLACEMENTS: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "socket": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
    "link": lambda path: path.symlink_to("a.nix"),
}


@pytest.mark.parametrize("replacement", REPLACEMENTS.values(), ids=REPLACEMENTS.keys())
def test_what_takes_the_name_of_a_file_after_it_was_listed_is_left_out_and_holds_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch, replacement: Callable[[Path], object]
) -> None:
    before = content_hash(folder)
    victim = folder / "sub" / "victim.nix"
    victim.write_text("")
    real = os.open

    def late(path: str, flags: int) -> int:
        if path == str(victim):
            victim.unlink()
            replacement(victim)
        return real(path, flags)

    monkeypatch.setattr(os, "open", late)
    assert content_hash(folder) == before


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
    hashed = nar_hash(str(folder), enter)
    (folder / "c").unlink()
    assert hashed == content_hash(folder)


def test_names_are_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    """Of which Python's own order differs, where a name is no UTF-8."""
    names = [b"\xee\x80\x80", b"\xff", b"a", b"a-", b"a.b", b"\xf0\x9f\x98\x80"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("")
    assert content_hash(tmp_path) == "28cae1b8f716af017a5e4e63559f87a481436689e01168a5996da4904998465d"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 3 * 10**9)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_every_edit_leaves_other_stamps(folder: Path, edit: Callable[[Path], object]) -> None:
    before = stamps(str(folder))
    assert stamps(str(folder)) == before
    edit(folder)
    assert stamps(str(folder)) != before


def test_an_edit_that_was_undone_leaves_other_stamps(folder: Path) -> None:
    before = stamps(str(folder))
    (folder / "default.nix").write_text("{x}")
    (folder / "default.nix").write_text("{ }")
    assert stamps(str(folder)) != before


def test_stamps_of_what_was_changed_just_now_are_not_to_be_relied_on(folder: Path) -> None:
    assert not stamps(str(folder)).settled


def test_stamps_are_relied_on_when_no_clock_is_as_coarse(folder: Path, later: None) -> None:
    assert stamps(str(folder)).settled


def test_git_has_no_part_in_the_stamps(folder: Path) -> None:
    (folder / ".git").mkdir()
    before = stamps(str(folder))
    (folder / ".git" / "HEAD").write_text("x")
    assert stamps(str(folder)) == before


def test_what_vanishes_after_it_was_listed_leaves_no_stamp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.lstat

    def late(path: str) -> os.stat_result:
        if path.endswith("default.nix"):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return real(path)

    before = stamps(str(folder))
    monkeypatch.setattr(os, "lstat", late)
    assert stamps(str(folder)) != before

import contextlib
import errno
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inotify_simple import INotify

from nixery.sources import content
from nixery.sources.content import nar_hash
from nixery.sources.folder import Folder, Look


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    (root / "sub" / "below").mkdir(parents=True)
    (root / "a").write_text("a")
    return root


def test_a_folder_is_watched_before_it_is_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = content._listed

    def listed(path: str) -> list[os.DirEntry[str]]:
        names = real(path)
        if path.endswith("below"):
            Path(path, "too late to be listed").write_text("")
        return names

    monkeypatch.setattr(content, "_listed", listed)
    with contextlib.closing(Folder(str(root))) as folder:
        assert not folder.unedited(folder.look())


def test_what_was_edited_before_a_look_is_no_reason_for_another(root: Path) -> None:
    with contextlib.closing(Folder(str(root))) as folder:
        folder.look()
        (root / "a").write_text("b")
        assert folder.unedited(folder.look())


def test_a_folder_that_cannot_be_watched_is_walked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptor(*args: object, **kwargs: object) -> INotify:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("nixery.sources.watch.INotify", no_descriptor)
    look = Folder(str(root)).look()
    assert look.pin == nar_hash(str(root))
    assert look.untold is not None
    assert "Too many open files" in look.untold


def test_what_was_edited_just_now_is_read_again_where_edits_are_not_told_of(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been edited once more since, without another stamp."""
    monkeypatch.setattr("nixery.sources.folder.shared_mount", lambda path: "nfs4 at /somewhere")
    folder = Folder(str(root))
    assert folder.look() is not folder.look()
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 3 * 10**9)
    assert folder.look() is folder.look()


NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
KINDS = st.sampled_from(["write", "append", "replace", "delete", "mkdir", "move", "mode", "link", "swap", "nothing"])


def apply(root: Path, kind: str, name: str, other: str) -> None:
    """One edit; some cannot be made, as there is no such file."""
    path = root / name
    match kind:
        case "write":
            path.write_text(other)
        case "append":
            with path.open("r+") as file:
                file.write(other)
        case "replace":
            path.with_name("new").write_text(other)
            path.with_name("new").rename(path)
        case "delete":
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        case "mkdir":
            path.mkdir(parents=True)
        case "move":
            path.rename(root / other)
        case "mode":
            path.chmod(0o777 ^ (path.stat().st_mode & 0o111))
        case "link":
            path.symlink_to(other)
        case "swap" if not path.is_symlink():
            root.rename(root.with_name("old"))
            root.with_name("old").joinpath(name).rename(root)


def edited(root: Path, kind: str, name: str, other: str) -> None:
    """One edit, or nothing, but never no set."""
    with contextlib.suppress(OSError):
        apply(root, kind, name, other)
    if not root.exists():
        root.with_name("old").rename(root)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(KINDS, NAMES, NAMES), max_size=30))
def test_after_any_edits_the_pin_is_the_contents(edits: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "set"
        root.mkdir()
        with contextlib.closing(Folder(str(root))) as folder:
            look: Look | None = None
            for edit in edits:
                edited(root, *edit)
                if look is None or not folder.unedited(look):
                    look = folder.look()
                assert look.untold is None
                assert look.pin == nar_hash(str(root))

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inotify_simple import INotify

from nixery.sources.content import nar_hash
from nixery.sources.watch import Exhausted, Watch, shared_mount


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    (root / "sub" / "below").mkdir(parents=True)
    (root / "a").write_text("a")
    (root / "link").symlink_to("a")
    (root / "sub" / "b").write_text("b")
    (root / "sub" / "below" / "c").write_text("c")
    return root


@pytest.fixture
def watch(root: Path) -> Iterator[Watch]:
    watch = Watch()
    walk(watch, root)
    yield watch
    watch.close()


def walk(watch: Watch, root: Path) -> None:
    with watch.round() as add:
        nar_hash(str(root), add)


def replaced(path: Path, content: str) -> None:
    path.with_name("new").write_text(content)
    path.with_name("new").rename(path)


def retargeted(path: Path) -> None:
    path.with_name("new").symlink_to("sub/b")
    path.with_name("new").rename(path)


def written_in_place(path: Path) -> None:
    with path.open("r+") as file:
        file.write("B")


def brought_in(root: Path) -> None:
    tree = root.with_name("tree") / "of" / "some"
    tree.mkdir(parents=True)
    (tree / "d").write_text("d")
    root.with_name("tree").rename(root / "tree")


EDITS: dict[str, Callable[[Path], object]] = {
    "write": lambda root: (root / "sub" / "new").write_text("new"),
    "in place": lambda root: written_in_place(root / "sub" / "b"),
    "truncate": lambda root: os.truncate(root / "a", 0),
    "atomic": lambda root: replaced(root / "sub" / "below" / "c", "C"),
    "delete": lambda root: (root / "sub" / "below" / "c").unlink(),
    "mkdir": lambda root: (root / "sub" / "x" / "y" / "z").mkdir(parents=True),
    "move a tree in": brought_in,
    "move a tree out": lambda root: (root / "sub").rename(root.with_name("out")),
    "move a file out": lambda root: (root / "a").rename(root.with_name("out")),
    "move a tree within": lambda root: (root / "sub" / "below").rename(root / "above"),
    "executable": lambda root: (root / "sub" / "b").chmod(0o755),
    "retarget": lambda root: retargeted(root / "link"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_every_edit_is_told_of_once(root: Path, watch: Watch, edit: Callable[[Path], object]) -> None:
    assert not watch.edited()
    edit(root)
    assert watch.edited()
    assert not watch.edited()
    walk(watch, root)
    assert not watch.edited(), "a walk is no edit"


@pytest.mark.parametrize("edit", [EDITS["mkdir"], EDITS["move a tree in"]])
def test_new_folders_are_watched_after_the_next_round(root: Path, watch: Watch, edit: Callable[[Path], object]) -> None:
    edit(root)
    walk(watch, root)
    watch.edited()
    for deepest in [*root.glob("sub/x/y/z"), *root.glob("tree/of/some")]:
        (deepest / "e").write_text("e")
        assert watch.edited()


def test_what_left_the_set_is_let_go(root: Path, watch: Watch) -> None:
    out = (root / "sub").rename(root.with_name("out"))
    walk(watch, root)
    watch.edited()
    (out / "b").write_text("elsewhere")
    (out / "below" / "c").write_text("elsewhere")
    assert not watch.edited()


def test_git_and_reading_are_no_edits(root: Path, watch: Watch) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("x")
    (root / "a").read_text()
    assert not watch.edited()


def test_a_file_is_watched_by_all_of_its_names(root: Path, watch: Watch) -> None:
    os.link(root / "a", root.with_name("elsewhere"))
    walk(watch, root)
    watch.edited()
    root.with_name("elsewhere").write_text("by another name")
    assert watch.edited()


def test_a_queue_that_ran_over_counts_as_an_edit(root: Path, watch: Watch) -> None:
    """What is no edit fills the queue; a folder made then is lost, and found by the next round."""
    (root / ".git").mkdir()
    (root / "sub" / ".git").mkdir()
    for _ in range(int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()) // 2 + 1):
        os.utime(root / ".git")
        os.utime(root / "sub" / ".git")
    (root / "lost").mkdir()
    assert watch.edited()
    assert not watch.edited()
    walk(watch, root)
    (root / "lost" / "e").write_text("e")
    assert watch.edited()


def test_when_no_watch_is_left_nothing_is_held(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(os.listdir("/proc/self/fd"))
    real = INotify.add_watch

    def add_watch(inotify: INotify, path: str, mask: int) -> int:
        if path.endswith("below"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(inotify, path, mask)

    monkeypatch.setattr(INotify, "add_watch", add_watch)
    watch = Watch()
    with pytest.raises(Exhausted):
        walk(watch, root)
    assert len(os.listdir("/proc/self/fd")) == before
    assert not watch.edited()


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:50 / /home rw shared:1 - nfs4 server:/home rw
24 23 0:51 / /home/me/local\\040disk rw - xfs /dev/vdb rw
25 22 0:52 / /srv/sets/remote rw - fuse.sshfs host: rw
26 22 0:53 / /over rw - nfs server:/x rw
27 22 0:54 / /over rw - tmpfs none rw
28 22 0:55 / /usb rw - fuseblk /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("folder", "mount"),
    [
        ("/srv/other", None),
        ("/home/me/set", "nfs4 at /home"),
        ("/home", "nfs4 at /home"),
        ("/homestead", None),
        ("/home/me/local disk/set", None),
        ("/srv/sets", "fuse.sshfs at /srv/sets/remote"),
        ("/srv/sets/remote/a", "fuse.sshfs at /srv/sets/remote"),
        ("/over/set", None),
        ("/usb/set", None),
    ],
)
def test_a_mount_that_does_not_tell_of_all_edits_is_named(tmp_path: Path, folder: str, mount: str | None) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert shared_mount(folder, str(tmp_path / "mountinfo")) == mount

import io
import os
import socket
import stat
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nixery.errors import PackingFailed
from nixery.packing.pieces import PIECE
from nixery.packing.tar import Tar
from nixery.packing.tree import add_tree


@frozen
class File:
    data: bytes
    executable: bool = False


@frozen
class Link:
    target: bytes


Node = File | Link | dict[bytes, "Node"]

NAMES = st.one_of(
    st.text("ab .é", min_size=1, max_size=60).map(lambda text: text.encode()),
    st.binary(min_size=1, max_size=255).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_")),
).filter(lambda name: name not in (b".", b".."))
SIZES = st.sampled_from([0, 1, 511, 512, 513, 1024, PIECE - 512, PIECE, PIECE + 1])
FILES = st.builds(File, SIZES.map(lambda size: b"\xa5" * size), st.booleans())
LINKS = st.builds(Link, st.lists(NAMES, min_size=1, max_size=3).map(b"/".join))
TREES: st.SearchStrategy[Node] = st.recursive(
    FILES | LINKS, lambda nodes: st.dictionaries(NAMES, nodes, max_size=5), max_leaves=12
)


def write(path: bytes, node: Node) -> None:
    if isinstance(node, dict):
        os.mkdir(path)
        for name, child in node.items():
            write(path + b"/" + name, child)
    elif isinstance(node, Link):
        os.symlink(node.target, path)
    else:
        with open(path, "wb") as file:
            file.write(node.data)
        os.chmod(path, 0o755 if node.executable else 0o644)


def expected(path: bytes, node: Node) -> list[tuple[bytes, int, Node]]:
    if isinstance(node, dict):
        return [(path, 0o555, {}), *(e for name in sorted(node) for e in expected(path + b"/" + name, node[name]))]
    if isinstance(node, Link):
        return [(path, 0o777, node)]
    return [(path, 0o555 if node.executable else 0o444, node)]


def packed(top: Path, meanwhile: Callable[[], object] = lambda: None) -> bytes:
    """The tar of a tree; `meanwhile` is called with each piece."""
    pieces = []

    def take(piece: memoryview) -> None:
        pieces.append(bytes(piece))
        meanwhile()

    tar = Tar(take)
    add_tree(tar, os.fsencode(top))
    tar.end()
    return b"".join(pieces)


def unpacked(data: bytes) -> list[tuple[bytes, int, Node]]:
    entries = []
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8", errors="surrogateescape") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            node: Node = {}
            if member.issym():
                node = Link(os.fsencode(member.linkname))
            elif content is not None:
                node = File(content.read(), bool(member.mode & stat.S_IXUSR))
            entries.append((b"/" + os.fsencode(member.name), member.mode, node))
    return entries


@settings(max_examples=60, deadline=None)
@given(TREES)
@example(
    {b"empty": {}, b"a": {b"b": File(b"")}, b"a.b": File(b"x", True), b"\xff\xfe": Link(b"\xfd"), b"l": Link(b"..")}
)
@example({b"n" * 255: {b"m" * 255: {b"\xc3\xa9" * 100: File(b"deep")}}, b"t": Link(b"t" * 4000)})
def test_a_tree_comes_out_of_its_tar_as_it_went_in(tree: Node) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder) / "top"
        write(os.fsencode(top), tree)
        assert unpacked(packed(top)) == expected(os.fsencode(top), tree)


def test_owners_times_and_other_modes_of_the_disk_do_not_matter(tmp_path: Path) -> None:
    tree: Node = {b"d": {b"f": File(b"f"), b"x": File(b"x", True)}, b"l": Link(b"d/f")}
    write(os.fsencode(tmp_path / "top"), tree)
    before = packed(tmp_path / "top")
    for path, mode in [("d/f", 0o600), ("d/x", 0o511), ("d", 0o700), ("", 0o1777)]:
        (tmp_path / "top" / path).chmod(mode)
        os.utime(tmp_path / "top" / path, (10**9, 10**9))
    assert packed(tmp_path / "top") == before


def test_hard_links_are_stored_as_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same")
    (tmp_path / "b").write_bytes(b"same")
    before = packed(tmp_path)
    (tmp_path / "b").unlink()
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert packed(tmp_path) == before


def test_a_deep_tree_needs_no_deep_recursion(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 200
    folders = [os.fsencode(tmp_path) + b"/d" * (level + 1) for level in range(depth)]
    for folder in folders:
        os.mkdir(folder)
    try:
        assert len(unpacked(packed(tmp_path))) == depth + 1
    finally:
        for folder in reversed(folders):  # what clears tmp_path recurses
            os.rmdir(folder)


def test_a_whiteout_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / ".wh.config").touch()
    with pytest.raises(PackingFailed, match=r"\.wh\.config' cannot be in a layer"):
        packed(tmp_path)


def test_a_pipe_is_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PackingFailed, match=r"pipe' is neither a file nor a directory nor a link"):
        packed(tmp_path)


def test_a_socket_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(PackingFailed, match="socket' is neither"):
            packed(tmp_path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackingFailed, match=r"cannot read '.*/absent': No such file"):
        packed(tmp_path / "absent")


@pytest.mark.parametrize("size", [0, 2 * PIECE - 1, 2 * PIECE + 1, 9 * PIECE])
def test_a_file_that_changes_its_size_meanwhile_is_named(size: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(2 * PIECE))
    with pytest.raises(PackingFailed, match=f"file' had {2 * PIECE} bytes and changed"):
        packed(tmp_path, lambda: os.truncate(tmp_path / "file", size))


def _vanish(path: Path) -> None:
    path.unlink(missing_ok=True)


def _become_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("a")


def _become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _become_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [_vanish, _become_a_link, _become_a_pipe, _become_a_directory])
def test_a_file_that_is_none_when_its_turn_comes_is_named(change: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2 * PIECE))
    (tmp_path / "b").write_bytes(b"b")
    changes = iter([change])
    with pytest.raises(PackingFailed, match=f"{tmp_path}/b'"):
        packed(tmp_path, lambda: next(changes, lambda path: None)(tmp_path / "b"))


def test_a_directory_that_vanishes_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2 * PIECE))
    (tmp_path / "b").mkdir()
    changes = iter([(tmp_path / "b").rmdir])
    with pytest.raises(PackingFailed, match=r"cannot read '.*/b': No such file"):
        packed(tmp_path, lambda: next(changes, lambda: None)())


def test_names_in_messages_cannot_break_a_log_line(tmp_path: Path) -> None:
    os.mkfifo(os.fsencode(tmp_path) + b"/two\nlines\xff")
    with pytest.raises(PackingFailed, match=r"two\\nlines\\udcff"):
        packed(tmp_path)

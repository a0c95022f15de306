import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.expressions.debian.builder.tree import Hostile, Tree, canonical

PATHS = st.lists(st.sampled_from(["", ".", "..", "bin", "usr", "a"]), max_size=6).map("/".join)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    return Tree(str(tmp_path / "root"))


def add(tree: Tree, path: str, content: str = "x", executable: bool = False) -> None:
    tree.add_file(path, io.BytesIO(content.encode()), executable)


def read(tree: Tree, path: str) -> str:
    return Path(tree.folder + path).read_text()


def test_modes_depend_on_nothing_but_the_x_bit(tree: Tree) -> None:
    add(tree, "/usr/bin/run", executable=True)
    add(tree, "/usr/share/text")
    assert [os.stat(tree.folder + path).st_mode & 0o7777 for path in ("/usr/bin/run", "/usr/share/text")] == [
        0o755,
        0o644,
    ]


@pytest.mark.parametrize("target", ["../outside", "../../../../outside", "/outside", "/../outside"])
def test_a_link_never_leads_a_file_out_of_the_tree(tree: Tree, target: str) -> None:
    tree.add_link("/deep/leave", target)
    add(tree, "/deep/leave/file")
    assert os.listdir(tree.folder + "/../outside") == []
    assert read(tree, "/outside/file") == "x"


def test_a_file_in_the_place_of_a_link_is_not_written_through_it(tree: Tree) -> None:
    add(tree, "/precious", "old")
    tree.add_link("/file", "precious")
    add(tree, "/file", "new")
    assert (read(tree, "/precious"), read(tree, "/file")) == ("old", "new")


def test_links_in_a_circle_are_refused(tree: Tree) -> None:
    tree.add_link("/a", "b")
    tree.add_link("/b", "a")
    with pytest.raises(Hostile, match="circle"):
        add(tree, "/a/file")


def test_a_folder_stays_a_folder(tree: Tree) -> None:
    add(tree, "/a/file")
    for name in ("/a", "/a/file/b"):
        with pytest.raises(Hostile, match="at once"):
            add(tree, name)


def test_a_file_goes_before_a_link_in_either_order(tree: Tree) -> None:
    add(tree, "/one", "file")
    tree.add_link("/one", "elsewhere")
    tree.add_link("/two", "elsewhere")
    add(tree, "/two", "file")
    assert (read(tree, "/one"), read(tree, "/two")) == ("file", "file")


def test_a_link_to_itself_where_usr_is_merged_is_left_out(tree: Tree) -> None:
    tree.add_link("/usr/bin/which", "/bin/which")
    assert not tree.exists("/usr/bin/which")


def test_a_hard_link_is_one_more_name(tree: Tree) -> None:
    add(tree, "/usr/bin/perl", "p", executable=True)
    tree.add_hard_link("/usr/bin/perl5", "/usr/bin/perl")
    assert read(tree, "/usr/bin/perl5") == "p"


def test_a_hard_link_to_what_is_no_file_of_the_package_is_refused(tree: Tree) -> None:
    tree.add_link("/passwd", "/etc/passwd")
    tree.add_folder("/folder")
    for other in ("/passwd", "/folder", "/gone", "/../outside"):
        with pytest.raises(Hostile, match="no file of the package"):
            tree.add_hard_link("/mine", other)


def test_existence_is_asked_within_the_tree_only(tree: Tree) -> None:
    tree.add_link("/etc", "/usr/etc")
    add(tree, "/usr/etc/mine")
    assert tree.exists("/etc/mine")
    assert not tree.exists("/etc/passwd")


def test_walks_are_sorted_and_know_links_from_files(tree: Tree) -> None:
    for path in ("/b/z", "/b/y", "/a"):
        add(tree, path)
    tree.add_link("/c", "b")
    assert (list(tree.files()), list(tree.links())) == (["/a", "/b/y", "/b/z"], ["/c"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/bin/sh", "/usr/bin/sh"),
        ("/lib64/ld.so", "/usr/lib64/ld.so"),
        ("/usr/bin/../../lib/x", "/usr/lib/x"),
        ("/library/x", "/library/x"),
        ("/..", "/"),
    ],
)
def test_canonical_paths_lie_under_usr(path: str, expected: str) -> None:
    assert canonical(path) == expected


@given(PATHS)
def test_a_canonical_path_is_its_own(path: str) -> None:
    assert canonical(canonical(path)) == canonical(path)
    assert ".." not in canonical(path)

"""Debian's alternatives in an image root."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.alternatives import parse
from nixery.images.entries import RootDirectory, RootEntry, RootLink
from nixery.images.root import join
from tests.images.stores import FakeStore, Node, To, store_path

OFFER = "nix-support/alternatives"


def joined(packages: Mapping[str, Mapping[str, Node]]) -> dict[str, RootEntry]:
    return dict(join([store_path(name) for name in packages], FakeStore(packages)))


def awk(priority: int, path: str) -> str:
    return f"{priority}\tawk\t/usr/bin/awk\t{path}\n"


def test_the_highest_priority_gets_the_name() -> None:
    root = joined(
        {
            "mawk": {OFFER: awk(5, "/usr/bin/mawk"), "usr/bin/mawk": ""},
            "gawk": {OFFER: awk(10, "/usr/bin/gawk"), "usr/bin/gawk": ""},
        }
    )
    assert root["usr/bin/awk"] == RootLink("/etc/alternatives/awk")
    assert root["etc/alternatives/awk"] == RootLink("/usr/bin/gawk")


def test_of_equal_priorities_the_first_package_wins() -> None:
    packages = {name: {OFFER: awk(5, f"/usr/bin/{name}"), f"usr/bin/{name}": ""} for name in ("b", "a")}
    assert joined(packages)["etc/alternatives/awk"] == RootLink("/usr/bin/b")


def test_a_path_that_does_not_exist_loses() -> None:
    offer = awk(5, "/usr/bin/mawk") + awk(10, "/usr/bin/gone")
    root = joined({"a": {OFFER: offer, "usr/bin/mawk": ""}})
    assert root["etc/alternatives/awk"] == RootLink("/usr/bin/mawk")
    assert "usr/bin/awk" not in joined({"a": {OFFER: awk(1, "/usr/bin/gone")}})


def test_slaves_come_along_where_they_exist() -> None:
    man = "/usr/share/man/man1"
    offer = f"1\tvi\t/usr/bin/vi\t/usr/bin/vim\t{man}/vi.1\tvi.1\t{man}/vim.1\t{man}/ex.1\tex.1\t{man}/gone.1\n"
    root = joined({"vim": {OFFER: offer, "usr/bin/vim": "", "usr/share/man/man1/vim.1": "", "usr/share/man/de/x": ""}})
    assert root["usr/share/man/man1"] == RootDirectory(0o755)
    assert root["usr/share/man/man1/vi.1"] == RootLink("/etc/alternatives/vi.1")
    assert root["etc/alternatives/vi.1"] == RootLink("/usr/share/man/man1/vim.1")
    assert root["usr/share/man/man1/vim.1"] == RootLink(f"{store_path('vim')}/usr/share/man/man1/vim.1")
    assert root["usr/share/man/de"] == RootLink(f"{store_path('vim')}/usr/share/man/de")
    assert "etc/alternatives/ex.1" not in root


def test_a_path_in_a_directory_that_is_one_link_exists() -> None:
    path = "usr/lib/jvm/java-17/bin/java"
    root = joined({"jre": {OFFER: f"1\tjava\t/usr/bin/java\t/{path}", path: ""}})
    assert root["etc/alternatives/java"] == RootLink(f"/{path}")
    assert root["usr/lib/jvm"] == RootLink(f"{store_path('jre')}/usr/lib/jvm")


def test_in_a_merged_usr_bin_is_usr_bin() -> None:
    offer = "1\tnc\t/bin/nc\t/bin/nc.openbsd"
    root = joined({"nc": {OFFER: offer, "bin": To("usr/bin"), "usr/bin/nc.openbsd": ""}})
    assert root["usr/bin/nc"] == RootLink("/etc/alternatives/nc")
    assert root["etc/alternatives/nc"] == RootLink("/bin/nc.openbsd")
    assert root["bin"] == RootLink("usr/bin")


def test_a_link_that_a_package_has_itself_is_completed() -> None:
    offer = awk(9, "/usr/bin/mawk")
    root = joined({"a": {OFFER: offer, "usr/bin/mawk": "", "usr/bin/awk": To("/etc/alternatives/awk")}})
    assert root["etc/alternatives/awk"] == RootLink("/usr/bin/mawk")


def test_links_in_circles_lead_nowhere() -> None:
    offer = "1\tx\t/a/x\t/bin/x\n1\ty\t/bin/y\t/a/y"
    root = joined({"a": {OFFER: offer, "bin/x": "", "a": To("/b"), "b": To("/a")}})
    assert "etc/alternatives" not in root


def test_a_packages_own_file_is_not_replaced() -> None:
    root = joined({"a": {OFFER: awk(9, "/usr/bin/mawk"), "usr/bin/mawk": "", "usr/bin/awk": ""}})
    assert root["usr/bin/awk"] == RootLink(f"{store_path('a')}/usr/bin/awk")
    assert "etc/alternatives" not in root


def test_a_link_below_a_file_is_not_made_and_makes_nothing_in_the_store() -> None:
    offer = "1\tx\t/usr/bin/mawk/x\t/usr/bin/mawk"
    assert joined({"a": {OFFER: offer, "usr/bin/mawk": ""}}) == joined({"a": {"usr/bin/mawk": ""}})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1",
        "1\tawk",
        "1\tawk\t/usr/bin/awk",
        "x\tawk\t/usr/bin/awk\t/usr/bin/mawk",
        "\u0661\tawk\t/usr/bin/awk\t/usr/bin/mawk",
        "1\t../awk\t/usr/bin/awk\t/usr/bin/mawk",
        "1\t..\t/usr/bin/awk\t/usr/bin/mawk",
        "1\t\t/usr/bin/awk\t/usr/bin/mawk",
        "1\tawk\tusr/bin/awk\t/usr/bin/mawk",
        "1\tawk\t/usr/../../awk\t/usr/bin/mawk",
        "1\tawk\t/usr/bin/awk\t/usr/../bin/mawk",
        "1\tawk\t/usr//awk\t/usr/bin/mawk",
        "1\tawk\t/usr/bin/awk\t/usr/bin/mawk\t/usr/bin/nawk",
        "1\tawk\t/usr/bin/awk\t/usr/bin/mawk\tnawk\tnawk\t/usr/bin/mawk",
        f"{'9' * 5000}\tawk\t/usr/bin/awk\t/usr/bin/mawk",
    ],
)
def test_a_malformed_line_is_ignored(line: str) -> None:
    assert list(parse(line)) == []


def test_a_negative_priority_is_a_priority() -> None:
    assert [alternative.priority for alternative in parse(awk(-5, "/usr/bin/mawk"))] == [-5]


@given(st.text(st.sampled_from("0123\t\n/.a-")))
def test_hostile_text_breaks_nothing(text: str) -> None:
    assert "tmp" in joined({"a": {OFFER: text, "a/a": ""}})

"""Packages made to break the join of an image root."""

from itertools import product

import pytest

from nixery.images.entries import RootDirectory
from tests.images.stores import Node, To, joined, link, store_path

REAL = RootDirectory(0o755)


class TestHostilePackages:
    def test_names_that_would_delete_or_hide_are_left_out(self) -> None:
        names = [".wh.x", ".wh..wh..opq", "nix/store/x", "nix-support"]
        assert joined({"a": dict.fromkeys(names, "1")}) == joined({"a": {}})
        assert "etc/.wh.passwd" not in joined({"a": {"etc/.wh.passwd": ""}})

    def test_a_link_can_not_take_the_place_of_the_store(self) -> None:
        assert "nix" not in joined({"a": {"nix": To("/etc")}})

    @pytest.mark.parametrize("name", ["a b", "a\nb", "\udcff", "-rf", "*", "'\"", "\x7f", "ü"])
    def test_weird_names_are_names(self, name: str) -> None:
        assert joined({"a": {f"bin/{name}": ""}})[f"bin/{name}"] == link("a", f"bin/{name}")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"x": To(".")}, {"x": To("./.")}),
            ({"x": To("x")}, {"x": To("y"), "y": To("x")}),
            ({"a/x": To("../b"), "b/y": To("../a")}, {"a/x": To("./../b"), "b/y": To("./../a")}),
            ({"a": To(".."), "b": To("."), "c/d": To("..")}, {"a": To("../."), "b": To("./"), "c/d": To("../.")}),
        ],
    )
    def test_links_in_circles_end(self, one: dict[str, Node], other: dict[str, Node]) -> None:
        assert "tmp" in joined({"a": one, "b": other})

    def test_a_root_that_is_too_deep_is_refused(self) -> None:
        with pytest.raises(ValueError, match="deep"):
            joined({"a": {"etc/" + "d/" * 2000 + "x": ""}})

    def test_a_deep_directory_behind_a_link_is_fine(self) -> None:
        assert joined({"a": {"share/" + "d/" * 2000 + "x": ""}})["share/d"] == link("a", "share/d")

    def test_a_root_that_is_too_large_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nixery.images.tree.MOST_ENTRIES", 50)
        with pytest.raises(ValueError, match="more than 50 entries"):
            joined({"a": {f"bin/{number}": "" for number in range(60)}})

    def test_links_that_fan_out_without_end_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nixery.images.store.MOST_MERGES", 500)
        fans: dict[str, dict[str, Node]] = {"one": {"etc/20/x": ""}, "two": {"etc/20/x": ""}}
        for package, fan in fans.items():
            for level, name in product(range(20), "ab"):
                fan[f"etc/{level}/{name}"] = To(f"{store_path(package)}/etc/{level + 1}")
        with pytest.raises(ValueError, match="merge more than 500 directories"):
            joined(fans)

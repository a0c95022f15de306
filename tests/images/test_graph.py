"""Store paths and closures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.graph import Closure, PathInfo, StorePath
from tests.images.stores import closure, store_path

HASH = "0123456789abcdfghijklmnpqrsvwxyz"


def test_a_store_path_has_a_directory_a_base_and_a_name() -> None:
    path = StorePath.parse(f"/nix/store/{HASH}-bash-5.2")
    assert (path.directory, path.base, path.name) == ("/nix/store", f"{HASH}-bash-5.2", "bash-5.2")
    assert str(path) == path.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/nix/store",
        f"{HASH}-bash",
        f"nix/store/{HASH}-bash",
        f"/nix/store/{HASH}",
        f"/nix/store/{HASH}-",
        f"/nix/store/{HASH}-bash/bin",
        f"/nix/store/{HASH}-bash\n",
        f"/nix/store/{HASH}-{'a' * 212}",
        f"/nix/store/{'e' * 32}-bash",
        f"/nix/store/../etc/{HASH}-bash",
        f"/nix/./store/{HASH}-bash",
        f"/nix//store/{HASH}-bash",
        f"/nix/sto\nre/{HASH}-bash",
    ],
)
def test_anything_but_a_store_objects_own_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a store path"):
        StorePath.parse(text)


@given(st.text())
def test_hostile_text_raises_nothing_but_value_errors(text: str) -> None:
    with pytest.raises(ValueError, match="is not a store path"):
        StorePath.parse(text)


def test_directories_with_dots_in_their_names_are_fine() -> None:
    assert StorePath.parse(f"/home/.nix/..store/{HASH}-bash").directory == "/home/.nix/..store"


def test_a_closure_is_in_an_order_of_its_own() -> None:
    graph = closure({"b": ["a"], "a": []})
    assert [info.path for info in graph] == sorted(graph.paths)
    assert len(graph) == 2
    assert graph[store_path("b")].references == (store_path("a"),)


def test_a_reference_that_is_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the closure"):
        Closure.of([PathInfo(store_path("b"), "", 1, (store_path("a"),))])

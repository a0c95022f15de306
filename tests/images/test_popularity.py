"""Popularity from a file and from a graph."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.popularity import GRAPH, Popularity
from tests.images.stores import closure, store_path


def test_a_file_is_looked_up_by_the_name_after_the_hash() -> None:
    popularity = Popularity.parse('{"glibc-2.36": 51261, "git-2.39": 186}')
    assert popularity.uses(store_path("glibc-2.36")) == 51261
    assert popularity.uses(store_path("git-2.39")) == 186


def test_what_a_file_does_not_name_is_used_once() -> None:
    assert Popularity.parse('{"unused-1": 0}').uses(store_path("hello-2")) == 1
    assert Popularity.parse('{"unused-1": 0}').uses(store_path("unused-1")) == 1


def test_the_hash_is_of_the_content_however_it_is_written() -> None:
    one = Popularity.parse('{"a": 1, "b": 2}').hash
    assert one == Popularity.parse(b'{ "b":2,"a":1 }\n').hash
    assert one != Popularity.parse('{"a": 1, "b": 3}').hash
    assert len(one) == 64


@pytest.mark.parametrize("text", ["", "[]", "3", '{"a": "1"}', '{"a": -1}', '{"a": true}', '{"a": 1.5}', '{"a": null}'])
def test_anything_but_names_with_counts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Popularity.parse(text)


@given(st.binary())
def test_hostile_bytes_raise_nothing_but_value_errors(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Popularity.parse(b"\x00" + data)


def test_a_graph_counts_the_others_that_refer_to_a_path() -> None:
    graph = closure({"app": ["lib", "libc"], "lib": ["libc"], "libc": []})
    popularity = Popularity.counted(graph)
    assert popularity.hash == GRAPH
    assert [popularity.uses(store_path(name)) for name in ("app", "lib", "libc")] == [1, 1, 2]


def test_a_path_that_refers_to_itself_is_not_more_popular_for_it() -> None:
    path = store_path("a")
    graph = Closure.of([PathInfo(path, "", 1, (path,)), PathInfo(store_path("b"), "", 1, (path,))])
    assert Popularity.counted(graph).uses(path) == 1


def test_two_paths_of_one_name_are_not_taken_for_one() -> None:
    first, second = StorePath("/nix/store/" + "0" * 32 + "-source"), StorePath("/nix/store/" + "1" * 32 + "-source")
    infos = [PathInfo(first, "", 1, (second,)), PathInfo(second, "", 1, ()), PathInfo(store_path("a"), "", 1, (first,))]
    assert Popularity.counted(Closure.of(infos)).uses(first) == 1

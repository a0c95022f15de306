"""Layer plans: complete, within the limit, the same in whatever order things come."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.layers import LARGE, LayerContents, layer_key, plan
from nixery.images.popularity import Popularity
from tests.images.stores import closure, store_path

NOBODY = Popularity.parse("{}")


@st.composite
def graphs(draw: st.DrawFn) -> Closure:
    size = draw(st.integers(1, 20))
    references = {
        f"n{node}": [f"n{other}" for other in draw(st.sets(st.integers(node + 1, size - 1), max_size=4))]
        if node + 1 < size
        else []
        for node in range(size)
    }
    return closure(references, **{name: draw(st.integers(0, 2 * LARGE)) for name in references})


def names(layers: tuple[LayerContents, ...]) -> list[set[str]]:
    return [{path.name for path in layer.paths} for layer in layers]


def large_graph(size: int) -> Closure:
    numbers = random.Random(7)
    references = {
        f"n{node}": {f"n{numbers.randrange(node)}" for _ in range(numbers.randrange(10))} if node else set()
        for node in range(size)
    }
    return closure(references, **{name: numbers.randrange(1, 5_000_000) for name in references})


@given(graphs(), st.integers(1, 25))
def test_each_path_is_in_one_layer_and_the_limit_holds(graph: Closure, limit: int) -> None:
    for popularity in (NOBODY, Popularity.counted(graph)):
        layers = plan(graph, [store_path("n0")], popularity, limit)
        assert sorted(path for layer in layers for path in layer.paths) == sorted(graph.paths)
        assert len(layers) <= limit
        assert all(layer.paths and list(layer.paths) == sorted(layer.paths) for layer in layers)


@given(graphs(), st.integers(1, 8), st.randoms())
def test_fault_10_a_plan_does_not_depend_on_the_order_of_things(
    graph: Closure, limit: int, shuffler: random.Random
) -> None:
    roots = [store_path("n0"), *list(graph.paths)[:2]]
    expected = plan(graph, roots, Popularity.counted(graph), limit)
    infos = list(graph)
    shuffler.shuffle(infos)
    shuffler.shuffle(roots)
    shuffled = Closure({info.path: info for info in infos})
    assert plan(shuffled, roots, Popularity.counted(shuffled), limit) == expected


def test_fault_10_the_five_nodes_that_gave_four_plans_give_one() -> None:
    names_of = {"a": ["c", "d"], "b": ["c", "e"], "c": ["e"], "d": ["e"], "e": []}
    plans = set()
    for seed in range(200):
        items = list(closure(names_of).paths.items())
        random.Random(seed).shuffle(items)
        graph = Closure(dict(items))
        plans.add(plan(graph, [store_path("a"), store_path("b")], Popularity.counted(graph), 3))
    assert len(plans) == 1


def test_what_only_one_path_refers_to_travels_with_it() -> None:
    graph = closure({"app": ["own"], "own": ["deep"], "deep": []})
    assert names(plan(graph, [store_path("app")], NOBODY, 10)) == [{"app", "own", "deep"}]


def test_what_two_roots_share_is_a_layer_of_its_own() -> None:
    graph = closure({"a": ["libc"], "b": ["libc"], "libc": []})
    layers = plan(graph, [store_path("a"), store_path("b")], NOBODY, 10)
    assert sorted(map(sorted, names(layers))) == [["a"], ["b"], ["libc"]]


def test_a_root_is_a_layer_of_its_own_even_where_another_root_refers_to_it() -> None:
    graph = closure({"a": ["b"], "b": []})
    assert len(plan(graph, [store_path("a"), store_path("b")], NOBODY, 10)) == 2


def test_a_popular_path_is_a_layer_of_its_own_and_comes_first() -> None:
    graph = closure({"app": ["own", "glibc"], "own": [], "glibc": []}, own=9000)
    layers = plan(graph, [store_path("app")], Popularity.parse('{"glibc": 1000}'), 10)
    assert names(layers) == [{"glibc"}, {"app", "own"}]


def test_a_large_path_is_a_layer_of_its_own_with_what_it_holds() -> None:
    graph = closure({"app": ["data", "own"], "data": ["more"], "more": [], "own": []}, data=LARGE)
    assert names(plan(graph, [store_path("app")], NOBODY, 10)) == [{"data", "more"}, {"app", "own"}]


def test_over_the_limit_the_least_popular_and_smallest_are_put_together_at_the_end() -> None:
    graph = closure({name: [] for name in "abcd"}, a=1, b=10, c=100, d=1000)
    assert names(plan(graph, list(graph.paths), NOBODY, 3)) == [{"d"}, {"c"}, {"a", "b"}]


def test_popularity_counts_as_much_as_size() -> None:
    graph = closure({name: [] for name in "abc"}, a=1, b=20, c=30)
    popularity = Popularity.parse('{"a": 100}')
    assert names(plan(graph, list(graph.paths), popularity, 2)) == [{"a"}, {"b", "c"}]


def test_images_share_the_layers_of_what_they_have_in_common() -> None:
    bash = {"bash": ["readline", "glibc"], "readline": ["ncurses", "glibc"], "ncurses": ["glibc"], "glibc": ["idn"]}
    bash |= {"idn": []}
    python = {**bash, "python": ["readline", "ssl", "glibc", "bash"], "ssl": ["glibc"]}
    small, big = closure(bash), closure(python)
    of_bash = plan(small, [store_path("bash")], Popularity.counted(small), 94)
    of_python = plan(big, [store_path("python")], Popularity.counted(big), 94)
    shared = {path for layer in set(of_bash) & set(of_python) for path in layer.paths}
    assert {"glibc", "idn"} <= {path.name for path in shared}


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        plan(closure({"a": []}), [store_path("a")], NOBODY, limit)


def test_a_root_that_is_not_in_the_closure_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the closure"):
        plan(closure({"a": []}), [store_path("b")], NOBODY, 1)


def test_self_references_are_fine_and_nothing_needs_no_layer() -> None:
    path = store_path("a")
    assert len(plan(Closure.of([PathInfo(path, "0", 1, (path,))]), [path], NOBODY, 5)) == 1
    assert plan(Closure.of([]), [], NOBODY, 5) == ()


def test_20_000_paths_are_planned_soon() -> None:
    graph = large_graph(20_000)
    started = time.process_time()
    layers = plan(graph, [store_path("n19999")], Popularity.counted(graph), 94)
    assert time.process_time() - started < 5
    assert len(layers) == 94


def test_a_comment_names_some_contents_and_counts_the_others() -> None:
    assert LayerContents((store_path("bash-5.2"),)).comment == "bash-5.2"
    assert LayerContents((store_path("glibc-2.36"), store_path("bash-5.2"))).comment == "bash-5.2 glibc-2.36"
    many = LayerContents(tuple(sorted(store_path(f"package-{number:03}") for number in range(100))))
    assert many.comment.startswith("package-000 package-001 ")
    assert many.comment.endswith(" more")
    shown = many.comment.count("package")
    assert many.comment.endswith(f" and {100 - shown} more")


@given(st.sets(st.text("abcdefgh-.", min_size=1, max_size=211), min_size=1, max_size=30))
def test_a_comment_has_at_most_200_characters(some: set[str]) -> None:
    contents = LayerContents(tuple(sorted(StorePath("/nix/store/" + "0" * 32 + f"-{name}") for name in some)))
    assert 0 < len(contents.comment) <= 200


def test_a_layer_key_stands_for_paths_hashes_layout_and_encoder() -> None:
    infos = list(closure({"a": [], "b": []}))
    key = layer_key(infos, "1", "abc")
    assert key == layer_key(reversed(infos), "1", "abc")
    changed = PathInfo(infos[0].path, "0" * 64, infos[0].nar_size, ())
    others = [layer_key(infos[:1], "1", "abc"), layer_key([changed, infos[1]], "1", "abc")]
    others += [layer_key(infos, "2", "abc"), layer_key(infos, "1", "abd"), layer_key(infos, "1a", "bc")]
    assert len({key, *others}) == 6


def test_a_layer_key_does_not_drift() -> None:
    infos = closure({"a": []})
    assert layer_key(infos, "1", "abc") == "cf11707bcdd48a09502543059c75c0859ec35095ecad50309c851c39d2d6da9b"

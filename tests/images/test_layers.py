"""Layer plans: complete, within the limit, the same in whatever order things come."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.layers import LayerContents, layer_key, plan
from nixery.images.popularity import Popularity
from tests.images.stores import acyclic, closure, store_path

NOBODY = Popularity.parse("{}")


@st.composite
def graphs(draw: st.DrawFn) -> Closure:
    references = draw(acyclic(20))
    return closure(references, **{name: draw(st.integers(0, 1_000_000)) for name in references})


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
        layers = plan(graph, popularity, limit)
        assert sorted(path for layer in layers for path in layer.paths) == sorted(graph.paths)
        assert len(layers) <= limit
        assert all(layer.paths and list(layer.paths) == sorted(layer.paths) for layer in layers)


@given(graphs(), st.integers(1, 8), st.randoms())
def test_fault_10_a_plan_does_not_depend_on_the_order_of_things(
    graph: Closure, limit: int, shuffler: random.Random
) -> None:
    expected = plan(graph, Popularity.counted(graph), limit)
    infos = list(graph)
    shuffler.shuffle(infos)
    shuffled = Closure({info.path: info for info in infos})
    assert plan(shuffled, Popularity.counted(shuffled), limit) == expected


def test_fault_10_the_five_nodes_that_gave_four_plans_give_one() -> None:
    names_of = {"a": ["c", "d"], "b": ["c", "e"], "c": ["e"], "d": ["e"], "e": []}
    plans = set()
    for seed in range(200):
        items = list(closure(names_of).paths.items())
        random.Random(seed).shuffle(items)
        graph = Closure(dict(items))
        plans.add(plan(graph, Popularity.counted(graph), 3))
    assert len(plans) == 1


def test_each_path_is_a_layer_of_its_own_where_the_limit_allows() -> None:
    graph = closure({"app": ["data", "own"], "data": [], "own": []})
    assert sorted(map(sorted, names(plan(graph, NOBODY, 3)))) == [["app"], ["data"], ["own"]]


def test_with_one_layer_all_travel_together() -> None:
    graph = closure({"app": ["own"], "own": ["deep"], "deep": []})
    assert names(plan(graph, NOBODY, 1)) == [{"app", "own", "deep"}]


def test_the_most_used_comes_first_and_the_rest_last() -> None:
    graph = closure({"app": ["own", "glibc"], "own": [], "glibc": [], "less": []}, app=3000, glibc=2000)
    layers = plan(graph, Popularity.parse('{"glibc": 1000, "own": 2000, "less": 2000}'), 3)
    assert names(layers) == [{"glibc"}, {"app"}, {"own", "less"}]


def test_over_the_limit_the_smallest_are_put_together_at_the_end() -> None:
    graph = closure({name: [] for name in "abcd"}, a=1, b=10, c=100, d=1000)
    assert names(plan(graph, NOBODY, 3)) == [{"d"}, {"c"}, {"a", "b"}]


def test_what_is_built_on_much_yields_to_what_is_not() -> None:
    libraries = [f"lib{number}" for number in range(60)]
    graph = closure(dict.fromkeys(libraries, ()) | {"app": libraries, "data": []}, 1, app=5000, data=4000)
    assert names(plan(graph, NOBODY, 2))[0] == {"data"}


def test_an_eighth_of_the_layers_is_for_paths_that_are_wanted_and_change_together() -> None:
    large: dict[str, list[str]] = {f"data{number}": [] for number in range(14)}
    toolkit = {"toolkit": ["canvas", "fonts"], "canvas": ["fonts"], "fonts": []}
    rest: dict[str, list[str]] = {"app": ["toolkit", "alone"], "alone": [], "one": [], "two": []}
    graph = closure({**large, **toolkit, **rest}, 1000, **dict.fromkeys(large, 50_000))
    popularity = Popularity.parse('{"toolkit": 100, "canvas": 100, "fonts": 100}')
    small = [layer for layer in names(plan(graph, popularity, 16)) if not layer & set(large)]
    assert small == [set(toolkit), set(rest)]


def test_images_share_the_layers_of_what_they_have_in_common() -> None:
    bash = {"bash": ["readline", "glibc"], "readline": ["ncurses", "glibc"], "ncurses": ["glibc"], "glibc": ["idn"]}
    bash |= {"idn": []}
    python = {**bash, "python": ["readline", "ssl", "glibc", "bash"], "ssl": ["glibc"]}
    small, big = closure(bash), closure(python)
    shared = set(plan(small, Popularity.counted(small), 94)) & set(plan(big, Popularity.counted(big), 94))
    assert {path.name for layer in shared for path in layer.paths} == set(bash)


def test_a_new_version_of_a_leaf_leaves_all_layers_but_its_own() -> None:
    before = large_graph(400)
    (leaf,) = (info for info in before if info.path.name == "n399")
    renewed = PathInfo(store_path("n399-2"), leaf.nar_hash, 5_000_000, leaf.references)
    after = Closure.of([renewed, *(info for info in before if info != leaf)])
    old, new = (set(plan(graph, Popularity.counted(graph), 94)) for graph in (before, after))
    assert len(new - old) <= 2


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        plan(closure({"a": []}), NOBODY, limit)


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        plan(closure({"a": ["b"], "b": ["a"]}), NOBODY, 5)


def test_self_references_are_fine_and_nothing_needs_no_layer() -> None:
    path = store_path("a")
    assert len(plan(Closure.of([PathInfo(path, "0", 1, (path,))]), NOBODY, 5)) == 1
    assert plan(Closure.of([]), NOBODY, 5) == ()


def test_20_000_paths_are_planned_soon() -> None:
    graph = large_graph(20_000)
    started = time.process_time()
    layers = plan(graph, Popularity.counted(graph), 94)
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

"""The layering study: a workload that is always the same, bytes counted as by hand, and its short form."""

import pytest

from benchmarks.layering import made_up
from benchmarks.layering.__main__ import main
from benchmarks.layering.go_nixery import planned
from benchmarks.layering.packages import Package, Packages
from benchmarks.layering.replay import Replay, Transferred, WrongPlan
from benchmarks.layering.store import Asked, Store
from benchmarks.layering.strategies import STRATEGIES, one_layer
from benchmarks.layering.workload import MIXED, STILL, Pull, Workload, wanted, workload
from nixery.images.graph import Closure
from nixery.images.layers import LayerContents
from nixery.images.popularity import Popularity
from tests.images.stores import closure, store_path

SET = Packages.of([
    Package("libc", "1", 100, "glibc", (), 9),
    Package("bash", "1", 20, "bash", ("libc",), 3),
    Package("git", "1", 5, "git", ("libc",), 1),
])  # fmt: skip
NOTHING_NEW = dict.fromkeys(("glibc", "bash", "git"), 0)


def alone(asked: Asked, limit: int) -> list[LayerContents]:
    return [LayerContents((path,)) for path in asked.closure.paths]


def transferred(pulls: list[Pull], *versions: dict[str, int]) -> tuple[Transferred, Transferred]:
    """In one layer, and each path alone."""
    replay = Replay(SET, Workload(tuple(pulls), versions))
    return replay.of(one_layer, 9), replay.of(alone, 9)


def test_what_a_client_has_does_not_travel_again() -> None:
    twice = [Pull(0, 1, ("bash",)), Pull(0, 1, ("bash",))]
    assert transferred(twice, NOTHING_NEW) == (Transferred(120, 120),) * 2


def test_one_client_has_not_what_another_has() -> None:
    two = [Pull(0, 1, ("bash",)), Pull(0, 2, ("bash",))]
    assert transferred(two, NOTHING_NEW) == (Transferred(240, 240),) * 2


def test_another_image_brings_again_what_is_in_its_layer() -> None:
    both = [Pull(0, 1, ("bash",)), Pull(0, 1, ("git",))]
    together, apart = transferred(both, NOTHING_NEW)
    assert (together.above, apart) == (100, Transferred(125, 125))


def test_a_new_version_is_a_new_path_and_so_is_all_that_refers_to_it() -> None:
    then = [Pull(0, 1, ("bash",)), Pull(1, 1, ("bash",))]
    together, apart = transferred(then, NOTHING_NEW, {**NOTHING_NEW, "bash": 1})
    assert (together.above, apart) == (100, Transferred(140, 140))
    assert transferred(then, NOTHING_NEW, {**NOTHING_NEW, "glibc": 1}) == (Transferred(240, 240),) * 2


@pytest.mark.parametrize("cut", [slice(1), slice(0)])
def test_a_plan_that_leaves_out_a_path_is_wrong(cut: slice) -> None:
    replay = Replay(SET, Workload((Pull(0, 1, ("bash",)),), (NOTHING_NEW,)))
    with pytest.raises(WrongPlan, match="for 2 paths"):
        replay.of(lambda asked, limit: alone(asked, limit)[cut], 9)
    with pytest.raises(WrongPlan):
        replay.of(alone, 1)


def test_the_workload_is_always_the_same() -> None:
    packages = wanted(made_up.packages())
    assert packages == wanted(Packages.parse(packages.text()))
    assert workload(packages, MIXED, 1) == workload(packages, MIXED, 1) != workload(packages, MIXED, 2)
    assert set(workload(packages, STILL, 1).versions[-1].values()) == {0}


def test_go_nixery_plans_its_own_example() -> None:
    graph = {"A": ["E"], "B": ["E"], "C": ["E", "D"], "D": ["F"], "E": [], "F": [], "G": []}
    asked = _asked(closure(graph, G=100_000_001), "ABCDG", {"E": 100})
    layers = {"".join(path.name for path in sorted(layer.paths, key=str)) for layer in planned(asked, 10, 100)}
    assert {"".join(sorted(layer)) for layer in layers} == {"A", "B", "C", "DF", "E", "G"}
    least = [{path.name for path in layer.paths} for layer in planned(asked, 4, 100)]
    assert least == [{"A", "B", "C"}, {"D", "F"}, {"E"}, {"G"}]


def _asked(graph: Closure, roots: str, uses: dict[str, int]) -> Asked:
    return Asked(graph, tuple(store_path(name) for name in roots), Popularity(uses, "test"))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("limit", [20, 93])
def test_each_strategy_plans_each_path_once_within_the_limit(strategy: str, limit: int) -> None:
    packages = wanted(made_up.packages())
    asked = Store(packages, workload(packages, STILL, 1).versions[0]).image(("bash", "blender", "git"))
    layers = STRATEGIES[strategy](asked, limit)
    assert len(layers) <= limit
    assert sorted(path for layer in layers for path in layer.paths) == sorted(asked.closure.paths)


def test_the_short_form_sees_what_ours_saves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--short"]) == 0
    assert "Go Nixery's" in capsys.readouterr().out

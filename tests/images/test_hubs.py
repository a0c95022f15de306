"""Groups of paths that travel together, against the definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images import hubs
from nixery.images.graph import Closure
from nixery.images.hubs import NEAR, Member, groups, members
from nixery.images.popularity import Popularity
from tests.images.stores import acyclic, closure, store_path


@st.composite
def images(draw: st.DrawFn) -> list[Member]:
    references = draw(acyclic(12))
    counts = {name: draw(st.integers(1, 50)) for name in references}
    graph = closure(references, **{name: draw(st.integers(0, 1000)) for name in references})
    return members(graph, Popularity(counts, "test"))


def chain(length: int) -> Closure:
    return closure({f"n{n}": [f"n{n + 1}"] if n + 1 < length else [] for n in range(length)})


def reached(image: list[Member], node: int) -> set[int]:
    number = {member.info.path: n for n, member in enumerate(image)}
    seen, todo = set(), [node]
    while todo:
        found = todo.pop()
        if found not in seen:
            seen.add(found)
            todo += [number[path] for path in image[found].info.references]
    return seen


def slowly(image: list[Member], loose: set[int], most: int) -> list[list[int]]:
    """The definition: the hub that saves most, again and again."""
    found = []
    for _ in range(most):
        saved, hub = min((-hubs._saved(image, hub, loose), hub) for hub in range(len(image)))
        if not saved:
            break
        found.append(sorted(n for n in image[hub].below if n in loose))
        loose = loose.difference(found[-1])
    return found


@given(images())
def test_below_a_path_is_all_that_it_refers_to(image: list[Member]) -> None:
    assert [set(member.below) for member in image] == [reached(image, n) for n in range(len(image))]
    assert all(member.built_on == len(member.below) for member in image)


def test_what_is_built_on_too_much_is_no_hub() -> None:
    image = members(chain(NEAR + 2), Popularity.parse("{}"))
    lengths = {member.info.path.name: len(member.below) for member in image}
    assert (lengths["n0"], lengths["n1"], lengths["n2"]) == (0, 0, NEAR)
    assert {member.built_on for member in image if not member.below} == {NEAR + 1}


@given(images(), st.sets(st.integers(0, 11)), st.integers(0, 5))
def test_the_hub_that_saves_most_comes_first_each_time(image: list[Member], some: set[int], most: int) -> None:
    loose = {n for n in some if n < len(image)}
    left = set(loose)
    found = groups(image, left, most)
    assert found == slowly(image, loose, most)
    assert left == loose.difference(*found)


def test_a_member_that_is_used_without_the_hub_counts_for_less() -> None:
    graph = closure({"hub": ["libc"], "libc": [], "rival": ["own"], "own": []}, hub=0, rival=0, libc=1000, own=900)
    image = members(graph, Popularity.parse('{"libc": 100, "hub": 10, "rival": 10, "own": 10}'))
    loose = {n for n, member in enumerate(image) if member.info.path.name in ("libc", "own")}
    saved = {member.info.path: hubs._saved(image, n, loose) for n, member in enumerate(image)}
    assert saved[store_path("rival")] > saved[store_path("hub")] > 0


def test_a_hub_that_is_built_on_less_comes_first() -> None:
    base: dict[str, list[str]] = {f"base{n}": [] for n in range(20)}
    graph = closure({**base, "low": ["one"], "one": [], "high": ["other", *base], "other": []}, 1, one=900, other=1000)
    image = members(graph, Popularity.parse("{}"))
    loose = {n for n, member in enumerate(image) if member.info.path.name in ("one", "other")}
    saved = {member.info.path.name: hubs._saved(image, n, loose) for n, member in enumerate(image)}
    assert saved["low"] > saved["high"]


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        members(closure({"a": ["b"], "b": ["a"]}), Popularity.parse("{}"))

"""Dominators against the definition, and against sizes and shapes that break slow or recursive ways."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.layering.dominators import immediate_dominators


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """Node 0 is the root, references lead to higher numbers, and everything is reached."""
    size = draw(st.integers(1, 12))
    references: list[list[int]] = [[] for _ in range(size)]
    for node in range(1, size):
        for referrer in draw(st.sets(st.integers(0, node - 1), min_size=1)):
            references[referrer].append(node)
    return references


def reachable(references: list[list[int]], without: int) -> set[int]:
    seen, todo = set(), [0]
    while todo:
        node = todo.pop()
        if node != without and node not in seen:
            seen.add(node)
            todo += references[node]
    return seen


@given(graphs())
def test_removing_a_dominator_cuts_its_node_off_and_only_dominators_do(references: list[list[int]]) -> None:
    found = immediate_dominators(references, 0)
    assert sorted(found) == list(range(1, len(references)))
    for node in found:
        chain, dominator = set(), node
        while dominator:
            dominator = found[dominator]
            chain.add(dominator)
        assert chain == {other for other in range(len(references)) if other != node} - {
            other for other in range(len(references)) if other != node and node in reachable(references, other)
        }


@given(graphs())
def test_a_dominator_comes_before_what_it_dominates(references: list[list[int]]) -> None:
    seen = {0}
    for node, dominator in immediate_dominators(references, 0).items():
        assert dominator in seen
        seen.add(node)


def test_a_node_without_references_has_no_dominators() -> None:
    assert immediate_dominators([[]], 0) == {}


def test_a_reference_that_is_repeated_counts_once() -> None:
    assert immediate_dominators([[1, 1], [2, 2], []], 0) == {1: 0, 2: 1}


@pytest.mark.parametrize("references", [[[1], [2], [1]], [[1], [0]], [[], []], [[1], [], [2]]])
def test_cycles_and_what_is_out_of_reach_are_refused(references: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="cycle"):
        immediate_dominators(references, 0)


@pytest.mark.parametrize("depth", range(20))
def test_two_ways_meet_again_below_the_node_where_they_part(depth: int) -> None:
    chain = [[node + 1] for node in range(depth)]
    references = [*chain, [depth + 1, depth + 2], [depth + 3], [depth + 3], []]
    assert immediate_dominators(references, 0)[depth + 3] == depth


def test_a_deep_chain_with_far_referrers_takes_no_recursion_and_little_time() -> None:
    depth = 10_000
    # A chain, then as many nodes that its first and its last node both refer to.
    references = [[node + 1] for node in range(depth)] + [[] for _ in range(depth + 1)]
    for node in range(depth + 1, 2 * depth + 1):
        references[1].append(node)
        references[depth].append(node)
    started = time.process_time()
    found = immediate_dominators(references, 0)
    assert time.process_time() - started < 2
    assert {found[node] for node in range(depth + 1, 2 * depth + 1)} == {1}

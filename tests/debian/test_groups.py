from hypothesis import given
from hypothesis import strategies as st

from nixery.debian.groups import Group, closure, group

NAMES = "abcdefg"
GRAPHS = st.fixed_dictionaries({name: st.frozensets(st.sampled_from(NAMES)) for name in NAMES})


def graph(**depends: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(names) for name, names in depends.items()}


def test_a_circle_is_one_group_named_by_the_most_needed() -> None:
    assert group(graph(a="b", b="c", c="b", d="b")) == [
        Group("a", ("a",), ("b",)),
        Group("b", ("b", "c"), ()),
        Group("d", ("d",), ("b",)),
    ]


def test_needing_oneself_is_no_dependency() -> None:
    assert group(graph(a="a")) == [Group("a", ("a",), ())]


def test_a_long_chain_does_not_exhaust_the_stack() -> None:
    chain = {str(number): frozenset({str(number + 1)}) for number in range(5000)} | {"5000": frozenset[str]()}
    assert len(group(chain)) == 5001


@given(GRAPHS)
def test_together_are_exactly_those_that_need_each_other(depends: dict[str, frozenset[str]]) -> None:
    lead_of = {name: found.lead for found in group(depends) for name in found.members}
    needs = {name: closure(depends, frozenset({name})) for name in NAMES}
    for one in NAMES:
        for other in NAMES:
            assert (lead_of[one] == lead_of[other]) == (other in needs[one] and one in needs[other])


@given(GRAPHS)
def test_groups_do_not_depend_in_circles(depends: dict[str, frozenset[str]]) -> None:
    groups = {found.lead: frozenset(found.depends) for found in group(depends)}
    for lead, needed in groups.items():
        assert lead not in closure(groups, needed)


@given(GRAPHS)
def test_the_order_of_the_graph_does_not_matter(depends: dict[str, frozenset[str]]) -> None:
    assert group(depends) == group(dict(reversed(depends.items())))

"""Packages that depend on each other in a circle share one store path: Nix's references cannot be cyclic.

The strongly connected components of the dependency graph, by Kosaraju and Sharir's two sweeps (M. Sharir, "A
strong-connectivity algorithm and its applications in data flow analysis", 1981), without recursion.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

Graph = Mapping[str, frozenset[str]]
"""A package's name -> the names it depends on, all of which are keys too."""


@frozen
class Group:
    """`lead`, the most depended upon, names it; `members` begin with it; `depends` are the leads of other groups."""

    lead: str
    members: tuple[str, ...]
    depends: tuple[str, ...]


def group(graph: Graph) -> list[Group]:
    """Every package in exactly one group, sorted by lead. The same graph gives the same groups."""
    popularity = Counter(name for names in graph.values() for name in names)
    components = {max(names, key=lambda name: (popularity[name], name)): names for names in _components(graph)}
    lead_of = {name: lead for lead, names in components.items() for name in names}
    return [_group(lead, components[lead], graph, lead_of) for lead in sorted(components)]


def closure(depends: Mapping[str, Iterable[str]], roots: Iterable[str]) -> frozenset[str]:
    """`roots` and all they need, directly or not."""
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(depends[name])
    return frozenset(seen)


def _group(lead: str, names: list[str], graph: Graph, lead_of: Mapping[str, str]) -> Group:
    others = sorted(name for name in names if name != lead)
    depends = {lead_of[needed] for name in names for needed in graph[name]} - {lead}
    return Group(lead, (lead, *others), tuple(sorted(depends)))


def _components(graph: Graph) -> Iterator[list[str]]:
    dependents: dict[str, list[str]] = defaultdict(list)
    for name in graph:
        for needed in graph[name]:
            dependents[needed].append(name)
    placed: set[str] = set()
    for root in reversed(_finished(graph)):
        if root not in placed:
            yield _reached(root, dependents, placed)


def _finished(graph: Graph) -> list[str]:
    """Names in the order in which a depth-first search leaves them."""
    order: list[str] = []
    seen: set[str] = set()
    path: list[tuple[str, Iterator[str]]] = []
    for root in sorted(graph):
        if root not in seen:
            seen.add(root)
            path.append((root, iter(sorted(graph[root]))))
        while path:
            name, rest = path[-1]
            following = next((needed for needed in rest if needed not in seen), None)
            if following is None:
                order.append(name)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(sorted(graph[following]))))
    return order


def _reached(root: str, dependents: Mapping[str, list[str]], placed: set[str]) -> list[str]:
    found = []
    waiting = [root]
    placed.add(root)
    while waiting:
        name = waiting.pop()
        found.append(name)
        fresh = [other for other in dependents.get(name, ()) if other not in placed]
        placed.update(fresh)
        waiting.extend(fresh)
    return found

"""Immediate dominators of a rooted graph without cycles.

In such a graph, a node's immediate dominator is the nearest common ancestor, in the dominator tree, of all that refer
to it (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm", 2001). Ancestors are found by jump pointers
(Myers: "An applicative random-access stack", 1983), which bounds each search by the logarithm of the depth.
"""

from collections.abc import Sequence

from attrs import define


@define
class _Tree:
    """Parent, depth, and a jump to some ancestor, for each node; nodes of one depth jump equally far."""

    parent: list[int]
    depth: list[int]
    jump: list[int]

    def add(self, node: int, parent: int) -> None:
        jump = self.jump[parent]
        farther = self.jump[jump]
        equally_far = self.depth[parent] - self.depth[jump] == self.depth[jump] - self.depth[farther]
        self.parent[node] = parent
        self.depth[node] = self.depth[parent] + 1
        self.jump[node] = farther if equally_far else parent

    def common_ancestor(self, a: int, b: int) -> int:
        parent, depth, jump = self.parent, self.depth, self.jump
        if depth[a] < depth[b]:
            a, b = b, a
        while depth[a] > depth[b]:
            a = jump[a] if depth[jump[a]] >= depth[b] else parent[a]
        while a != b:
            a, b = (jump[a], jump[b]) if jump[a] != jump[b] else (parent[a], parent[b])
        return a


def immediate_dominators(references: Sequence[Sequence[int]], root: int) -> dict[int, int]:
    """The immediate dominator of each node but the root.

    `references[n]` are the nodes that node n refers to. In the result a dominator comes before what it dominates.
    Raises ValueError when there is a cycle, or a node that cannot be reached from the root.
    """
    size = len(references)
    waiting = _count_referrers(references)
    tree = _Tree([root] * size, [0] * size, [root] * size)
    dominators: dict[int, int] = {}
    ready = [root] if not waiting[root] else []
    done = len(ready)
    while ready:
        node = ready.pop()
        for reference in references[node]:
            known = dominators.get(reference)
            dominators[reference] = node if known is None else tree.common_ancestor(known, node)
            waiting[reference] -= 1
            if not waiting[reference]:
                tree.add(reference, dominators[reference])
                dominators[reference] = dominators.pop(reference)
                ready.append(reference)
                done += 1
    if done != size:
        raise ValueError(f"{size - done} nodes are in a cycle, or cannot be reached from the root")
    return dominators


def _count_referrers(references: Sequence[Sequence[int]]) -> list[int]:
    counts = [0] * len(references)
    for targets in references:
        for target in targets:
            counts[target] += 1
    return counts

"""Go Nixery's strategy, from its published description ("Nixery: Improved Layering Design", V. Ambo, 2019).

A path that is popular, or whose closure is above 100 MB, is referred to from the image's root, as packages are. What
the root dominates at once is a layer, with all below it in the dominator tree. A layer's rating is its size times the
popularity of its top. While there are too many layers, those of the least rating become one.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache, partial

from benchmarks.layering.dominators import immediate_dominators
from benchmarks.layering.store import Asked
from nixery.images.graph import PathInfo, StorePath
from nixery.images.layers import LayerContents

_LARGE = 100_000_000


def planned(asked: Asked, limit: int, popular: int) -> list[LayerContents]:
    """`popular`: uses from which a path is popular."""
    rated = _rated(asked, popular)
    surplus = len(rated) - limit + 1 if len(rated) > limit else 0
    merged = [path for layer in rated[:surplus] for path in layer]
    return [LayerContents(tuple(sorted(paths))) for paths in [merged, *rated[surplus:]] if paths]


go_nixery = partial(planned, popular=100)
"""With the threshold of the original's code; the description leaves it open."""

as_we_did = partial(planned, popular=1000)
"""With that of our first strategy, which was much the same."""


def _rated(asked: Asked, popular: int) -> list[list[StorePath]]:
    """The layers before any is merged, the least rated first."""
    infos = list(asked.closure)
    members: dict[int, list[int]] = defaultdict(list)
    for node, top in _tops(asked, infos, popular).items():
        members[top].append(node)
    rating = {
        top: asked.popularity.uses(infos[top].path) * sum(infos[node].nar_size for node in nodes)
        for top, nodes in members.items()
    }
    return [[infos[node].path for node in members[top]] for top in sorted(members, key=lambda top: (rating[top], top))]


def _tops(asked: Asked, infos: Sequence[PathInfo], popular: int) -> dict[int, int]:
    """Each path's layer, named by its top."""
    number = {info.path: n for n, info in enumerate(infos)}
    references = [[number[path] for path in info.references] for info in infos]
    wanted = {number[path] for path in asked.roots}
    wanted.update(n for n, info in enumerate(infos) if asked.popularity.uses(info.path) >= popular)
    wanted |= _large(infos, references)
    root = len(infos)
    tops: dict[int, int] = {}
    for node, dominator in immediate_dominators([*references, sorted(wanted)], root).items():
        tops[node] = node if dominator == root else tops[dominator]
    return tops


def _large(infos: Sequence[PathInfo], references: Sequence[Sequence[int]]) -> set[int]:
    """Those whose closures are above 100 MB, as are then those of all that refer to them."""

    @cache
    def closure(node: int) -> frozenset[int] | None:
        below = [closure(other) for other in references[node]]
        found = {node}.union(*(other for other in below if other is not None))
        return frozenset(found) if None not in below and sum(infos[n].nar_size for n in found) <= _LARGE else None

    return {node for node in range(len(infos)) if closure(node) is None}

"""The layer plan: which store paths travel together, so that images share as much as they can.

See docs/architecture.md, Layers.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from attrs import frozen

from nixery.images.canonical import fingerprint
from nixery.images.dominators import immediate_dominators
from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.popularity import Popularity

LARGE = 100_000_000
"""Bytes from which on a path, with all that is there for its sake only, gets a layer of its own."""

_COMMENT_CHARACTERS = 180


@frozen
class LayerContents:
    """What goes into one layer: store paths, sorted."""

    paths: tuple[StorePath, ...]

    @property
    def comment(self) -> str:
        """The contents in at most 200 characters, for a person who reads the image's history."""
        names = sorted(path.name for path in self.paths)
        shown = names[0][:_COMMENT_CHARACTERS]
        for number, name in enumerate(names[1:], 1):
            if len(shown) + len(name) >= _COMMENT_CHARACTERS:
                return f"{shown} and {len(names) - number} more"
            shown += f" {name}"
        return shown


@frozen
class _Group:
    """A path with what it dominates. `uses`: of that path; `size`: bytes of all."""

    uses: int
    size: int
    paths: tuple[StorePath, ...]

    @property
    def worth(self) -> tuple[int, tuple[StorePath, ...]]:
        """Least for what most deserves a layer of its own."""
        return (-self.uses * self.size, self.paths)

    @property
    def shared(self) -> tuple[int, int, tuple[StorePath, ...]]:
        """Least for what most images have."""
        return (-self.uses, -self.size, self.paths)


def plan(closure: Closure, roots: Sequence[StorePath], popularity: Popularity, limit: int) -> tuple[LayerContents, ...]:
    """At most `limit` layers with each path of the closure in one of them, the most shared first.

    `roots`: the packages' outputs. The same graph, popularity and limit give the same plan in whatever order they
    come. Raises ValueError for a limit below 1, a root that is not in the closure, or a cycle.
    """
    if limit < 1:
        raise ValueError(f"an image has at least one layer, not {limit}")
    groups = sorted(_group(closure, roots, popularity), key=lambda group: group.worth)
    kept, rest = (groups, []) if len(groups) <= limit else (groups[: limit - 1], groups[limit - 1 :])
    layers = [LayerContents(group.paths) for group in sorted(kept, key=lambda group: group.shared)]
    if rest:
        layers.append(LayerContents(tuple(sorted(chain.from_iterable(group.paths for group in rest), key=str))))
    return tuple(layers)


def _group(closure: Closure, roots: Iterable[StorePath], popularity: Popularity) -> list[_Group]:
    infos = sorted(closure, key=lambda info: info.path.text)
    number = {info.path.text: n for n, info in enumerate(infos)}
    references = [[number[path.text] for path in info.references if path != info.path] for info in infos]
    members = defaultdict(list)
    for n, top in _tops(infos, references, _apart(infos, number, roots, references, popularity)).items():
        members[top].append(n)
    return [
        _Group(
            popularity.uses(infos[top].path),
            sum(infos[n].nar_size for n in group),
            tuple(infos[n].path for n in sorted(group)),
        )
        for top, group in members.items()
    ]


def _apart(
    infos: Sequence[PathInfo],
    number: dict[str, int],
    roots: Iterable[StorePath],
    references: Sequence[Sequence[int]],
    popularity: Popularity,
) -> set[int]:
    """What must not travel with a referrer: roots, popular paths, and paths that nothing refers to."""
    unknown = [root for root in roots if root.text not in number]
    if unknown:
        raise ValueError(f"{unknown[0]} is not in the closure")
    apart = {number[root.text] for root in roots}
    apart.update(set(range(len(infos))).difference(*references))
    apart.update(n for n, info in enumerate(infos) if popularity.popular(info.path))
    return apart


def _tops(infos: Sequence[PathInfo], references: list[list[int]], apart: set[int]) -> dict[int, int]:
    """Each path's group, named by its top. A virtual root refers to all that is apart."""
    root = len(infos)
    dominators = immediate_dominators([*references, sorted(apart)], root)
    held = [info.nar_size for info in infos] + [0]
    for node, dominator in reversed(dominators.items()):
        held[dominator] += held[node]
    large = {n for n in range(root) if held[n] > LARGE}
    if large - apart:
        dominators = immediate_dominators([*references, sorted(apart | large)], root)
    tops: dict[int, int] = {}
    for node, dominator in dominators.items():
        tops[node] = node if dominator == root else tops[dominator]
    return tops


def layer_key(infos: Iterable[PathInfo], layout: str, encoder: str) -> str:
    """What a packed layer is remembered under: 64 hexadecimal digits.

    They stand for the store paths with their NAR hashes, the version of the tar layout and the encoder's fingerprint.
    """
    contents = sorted((info.path.text, info.nar_hash) for info in infos)
    return fingerprint({"contents": contents, "layout": layout, "encoder": encoder})

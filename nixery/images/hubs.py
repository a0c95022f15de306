"""Which paths travel together: those that one path, their hub, refers to, directly or not.

A hub brings all of these into every image that it is in, and is a new path itself as soon as one of them is. So its
group is often had already as it is. How well that does, and what does worse, is in docs/layering.md.
"""

from collections.abc import Sequence
from graphlib import TopologicalSorter
from heapq import heapify, heappop, heappush

from attrs import frozen

from nixery.images.graph import Closure, PathInfo
from nixery.images.popularity import Popularity

NEAR = 128
"""Paths that a hub refers to at most, itself included: what is built on more changes too often."""

_STEADY = 25
"""Paths below a path that make its chance to stay as it is a quarter."""


@frozen
class Member:
    """A path of an image.

    `uses`: by its popularity; `below`: the numbers of all that it refers to, directly or not, and its own; none where
    these are more than NEAR.
    """

    info: PathInfo
    uses: int
    below: tuple[int, ...]

    @property
    def built_on(self) -> int:
        """How many paths it takes, itself included; NEAR + 1 where they are more than NEAR."""
        return len(self.below) or NEAR + 1


def members(closure: Closure, popularity: Popularity) -> list[Member]:
    """An image's paths, sorted; each one's number is its place. Raises ValueError for a cycle."""
    infos = sorted(closure, key=lambda info: info.path.text)
    number = {info.path.text: n for n, info in enumerate(infos)}
    references = [[number[path.text] for path in info.references if path != info.path] for info in infos]
    below: dict[int, tuple[int, ...]] = {}
    for node in TopologicalSorter(dict(enumerate(references))).static_order():
        below[node] = _near(node, [below[reference] for reference in references[node]])
    return [Member(info, popularity.uses(info.path), below[n]) for n, info in enumerate(infos)]


def _near(node: int, references: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    if not all(references):
        return ()
    found = {node}.union(*references)
    return tuple(found) if len(found) <= NEAR else ()


def groups(image: Sequence[Member], loose: set[int], most: int) -> list[list[int]]:
    """At most `most` groups of the numbers in `loose`, sorted; they are taken out of it.

    The hub that saves most comes first. As paths that are in a group are in no other, a hub can only save less than it
    once could, and is looked at again when its turn comes.
    """
    waiting = [(-_saved(image, hub, loose), hub) for hub, member in enumerate(image) if member.below]
    heapify(waiting)
    found: list[list[int]] = []
    while waiting and len(found) < most:
        _, hub = heappop(waiting)
        saved = _saved(image, hub, loose)
        if waiting and (-saved, hub) > waiting[0]:
            heappush(waiting, (-saved, hub))
        elif saved:
            found.append(sorted(loose.intersection(image[hub].below)))
            loose.difference_update(found[-1])
    return found


def _saved(image: Sequence[Member], hub: int, loose: set[int]) -> int:
    """Bytes that the next pull saves by the hub's group: less where a member is used without the hub, or may change."""
    uses, below = image[hub].uses, image[hub].below
    wanted = sum(image[n].info.nar_size * min(uses, image[n].uses) // image[n].uses for n in loose.intersection(below))
    return wanted * _STEADY**2 // (_STEADY + len(below)) ** 2

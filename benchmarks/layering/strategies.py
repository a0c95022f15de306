"""The strategies that are compared: ours, the original's, naive ones, and what ours has and could do without."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate

from attrs import evolve

from benchmarks.layering.go_nixery import as_we_did, go_nixery
from benchmarks.layering.replay import Strategy
from benchmarks.layering.store import Asked
from nixery.images.canonical import fingerprint
from nixery.images.graph import StorePath
from nixery.images.hubs import Member, members
from nixery.images.layers import LayerContents, plan
from nixery.images.popularity import Popularity

Paths = Sequence[Member]
Worth = Callable[[Member], int]
Grouping = Callable[[Paths, int], Iterable[Paths]]
"""Paths -> at most so many groups of them."""


def ours(asked: Asked, limit: int) -> Sequence[LayerContents]:
    """What Nixery does, with a popularity file."""
    return plan(asked.closure, asked.popularity, limit)


def ours_without_file(asked: Asked, limit: int) -> Sequence[LayerContents]:
    """What Nixery does where no popularity file is set."""
    return plan(asked.closure, Popularity.counted(asked.closure), limit)


def ours_without_popularity(asked: Asked, limit: int) -> Sequence[LayerContents]:
    """As if all were used alike."""
    return plan(asked.closure, evolve(asked.popularity, counts={}), limit)


def one_layer(asked: Asked, limit: int) -> Sequence[LayerContents]:
    """All in one."""
    return [_layer(asked.closure.paths)]


def runs(asked: Asked, limit: int) -> Sequence[LayerContents]:
    """Sorted by popularity and cut into runs of about equal bytes, none alone."""
    return _layers(_runs(members(asked.closure, asked.popularity), limit, lambda member: -member.uses))


def best_alone(asked: Asked, limit: int, worth: Worth, grouping: Grouping, groups: int = 1) -> Sequence[LayerContents]:
    """What is worth most alone, the rest in `groups` groups."""
    image = sorted(members(asked.closure, asked.popularity), key=lambda member: (-worth(member), member.info.path))
    alone = limit if len(image) <= limit else limit - groups
    return _layers([*([member] for member in image[:alone]), *grouping(image[alone:], groups)])


def _size(member: Member) -> int:
    return member.info.nar_size


def _uses(member: Member) -> int:
    return member.uses


def _product(member: Member) -> int:
    return member.uses * member.info.nar_size


def _kept(member: Member) -> int:
    return member.info.nar_size * 100 // (100 + member.built_on)


def _together(image: Paths, groups: int) -> Iterable[Paths]:
    return [image] if image else []


def _runs(image: Paths, groups: int, key: Worth) -> Iterable[Paths]:
    ordered = sorted(image, key=lambda member: (key(member), member.info.path))
    total = sum(member.info.nar_size for member in ordered)
    found: dict[int, list[Member]] = defaultdict(list)
    for member, before in zip(ordered, accumulate(map(_size, ordered), initial=0), strict=False):
        found[before * groups // total].append(member)
    return found.values()


def _hashed(image: Paths, groups: int) -> Iterable[Paths]:
    found: dict[int, list[Member]] = defaultdict(list)
    for member in image:
        found[int(fingerprint(member.info.path.name.partition("-")[0]), 16) % groups].append(member)
    return found.values()


def _layers(groups: Iterable[Paths]) -> list[LayerContents]:
    return [_layer(member.info.path for member in group) for group in groups]


def _layer(paths: Iterable[StorePath]) -> LayerContents:
    return LayerContents(tuple(sorted(paths)))


_GROUPS = 12

STRATEGIES: dict[str, Strategy] = {
    "Go Nixery's": go_nixery,
    "Go Nixery's, popular from 1,000 uses": as_we_did,
    "all in one": one_layer,
    "most popular alone": partial(best_alone, worth=_uses, grouping=_together),
    "popularity x size alone": partial(best_alone, worth=_product, grouping=_together),
    "runs by popularity": runs,
    "largest alone": partial(best_alone, worth=_size, grouping=_together),
    "largest steady alone": partial(best_alone, worth=_kept, grouping=_together),
    "... and 12 groups by a hash of the name": partial(best_alone, worth=_kept, grouping=_hashed, groups=_GROUPS),
    "... and 12 runs by popularity": partial(
        best_alone, worth=_kept, grouping=partial(_runs, key=_uses), groups=_GROUPS
    ),
    "... and 12 runs by what they are built on": partial(
        best_alone, worth=_kept, grouping=partial(_runs, key=lambda member: member.built_on), groups=_GROUPS
    ),
    "ours: ... and 12 groups by hubs": ours,
    "ours, without a popularity file": ours_without_file,
    "ours, as if all were used alike": ours_without_popularity,
}

GO = "Go Nixery's"
OURS = "ours: ... and 12 groups by hubs"

"""The layer plan: which store paths travel together, so that pulls transfer little that a client has already.

See docs/layering.md.
"""

from collections.abc import Iterable, Sequence

from attrs import frozen

from nixery.images.canonical import fingerprint
from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.hubs import Member, groups, members
from nixery.images.popularity import Popularity

_STEADY = 100
"""Paths below a path that make it half as likely to be the same at the next pull."""

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


def plan(closure: Closure, popularity: Popularity, limit: int) -> tuple[LayerContents, ...]:
    """At most `limit` layers with each path of the closure in one of them, the most used first.

    Each is alone where the limit allows. Else the largest are, in seven of eight layers; the others are for smaller
    paths that are wanted together and change together, and one for the rest. The same graph, popularity and limit give
    the same plan in whatever order they come. Raises ValueError for a limit below 1, or a cycle.
    """
    if limit < 1:
        raise ValueError(f"an image has at least one layer, not {limit}")
    image = members(closure, popularity)
    alone = _alone(image, limit)
    loose = set(range(len(image))).difference(alone)
    together = groups(image, loose, limit - 1 - len(alone))
    layers = sorted([*([n] for n in alone), *together], key=lambda layer: _shared(image, layer))
    if loose:
        layers.append(sorted(loose))
    return tuple(LayerContents(tuple(image[n].info.path for n in layer)) for layer in layers)


def _alone(image: Sequence[Member], limit: int) -> list[int]:
    if len(image) <= limit:
        return [*range(len(image))]
    return sorted(range(len(image)), key=lambda n: (-_kept(image[n]), n))[: limit * 7 // 8]


def _kept(member: Member) -> int:
    """Bytes that a layer of its own is expected to save: what is built on much else is new more often."""
    return member.info.nar_size * _STEADY // (_STEADY + member.built_on)


def _shared(image: Sequence[Member], layer: Sequence[int]) -> tuple[int, int, Sequence[int]]:
    """Least for what most images have."""
    return (-max(image[n].uses for n in layer), -sum(image[n].info.nar_size for n in layer), layer)


def layer_key(infos: Iterable[PathInfo], layout: str, encoder: str) -> str:
    """What a packed layer is remembered under: 64 hexadecimal digits.

    They stand for the store paths with their NAR hashes, the version of the tar layout and the encoder's fingerprint.
    """
    contents = sorted((info.path.text, info.nar_hash) for info in infos)
    return fingerprint({"contents": contents, "layout": layout, "encoder": encoder})

"""How widely store paths are used: what many images share deserves a layer of its own."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Self

from attrs import frozen

from nixery.images.canonical import fingerprint
from nixery.images.graph import Closure, StorePath

GRAPH = "graph"
"""The hash of a popularity that is counted from each image's own graph."""


@frozen
class Popularity:
    """Uses by name of a store path (without its hash).

    `hash`: what stands for all of it in a BuildKey.
    """

    counts: Mapping[str, int]
    hash: str

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """The popularity in a file that `popcount` wrote: a JSON object of names to counts. Raises ValueError."""
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError("a popularity file is a JSON object of names to counts")
        for name, count in value.items():
            if type(count) is not int or count < 0:
                raise ValueError(f"the popularity of {name[:100]!r} is not a count, but {str(count)[:100]!r}")
        return cls(value, fingerprint(value))

    @classmethod
    def counted(cls, closure: Closure) -> Self:
        """The popularity within one image: how many other paths refer to a path."""
        referrers = Counter(reference for info in closure for reference in info.references if reference != info.path)
        counts: dict[str, int] = {}
        for path, count in referrers.items():
            counts[path.name] = max(count, counts.get(path.name, 0))
        return cls(counts, GRAPH)

    def uses(self, path: StorePath) -> int:
        """How often the path is used: at least once, by whoever asks."""
        return max(1, self.counts.get(path.name, 1))

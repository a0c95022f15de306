"""The counts, as Go Nixery's popcount counts them, and the file that they are written to.

A name counts once for each path that refers to it, a path's reference to itself included; what is referred to once
is left out (popcount.go in google/nixery).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from nixery.fetching import popularity
from nixery.popcount.base import name_of


class Counts:
    """Counts by name of a store path, without its digest."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, references: Iterable[str]) -> None:
        """Count what one path refers to: last components of store paths, such as <digest>-bash-5.2."""
        self._counts.update(name_of(reference) for reference in references)

    def of_shared(self) -> dict[str, int]:
        """The names that are referred to more than once."""
        return {name: count for name, count in self._counts.items() if count > 1}


def write(counts: Mapping[str, int], out: Path) -> None:
    """Write the file whole, or leave what is there; raises OSError."""
    popularity.write(str(out), json.dumps(counts, sort_keys=True, separators=(",", ":")).encode("ascii"))

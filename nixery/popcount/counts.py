"""The counts, as Go Nixery's popcount counts them, and the file that they are written to.

A name counts once for each path that refers to it, a path's reference to itself included; what is referred to once
is left out (popcount.go in google/nixery).
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

_DIGEST = 33  # characters, the dash included


class Counts:
    """Counts by name of a store path, without its digest."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, references: Iterable[str]) -> None:
        """Count what one path refers to: last components of store paths, such as <digest>-bash-5.2."""
        self._counts.update(reference[_DIGEST:] for reference in references)

    def of_shared(self) -> dict[str, int]:
        """The names that are referred to more than once."""
        return {name: count for name, count in self._counts.items() if count > 1}


def write(counts: Mapping[str, int], out: Path) -> None:
    """Write the file whole, or leave what is there; raises OSError."""
    new = out.with_name(f".{out.name}.new")
    try:
        with open(new, "w", encoding="ascii") as file:
            json.dump(counts, file, sort_keys=True, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, out)
    finally:
        new.unlink(missing_ok=True)

"""The counts that the index of Debian's packages has already."""

from collections.abc import Sequence
from pathlib import Path

from nixery.errors import ConfigError
from nixery.images.popularity import Popularity


def counts_of_index(index: Path, architectures: Sequence[str]) -> dict[str, int]:
    """Name to count; of several architectures the higher one, as an image is of one. None given: all that there are.

    Raises ConfigError.
    """
    found = architectures or sorted(file.parent.name for file in index.glob("*/popularity.json"))
    if not found:
        raise ConfigError(f"{index} is no index that nixery-debian-index has written")
    counts: dict[str, int] = {}
    for architecture in found:
        for name, count in _read(index / architecture / "popularity.json").items():
            counts[name] = max(count, counts.get(name, 0))
    return counts


def _read(file: Path) -> dict[str, int]:
    try:
        return dict(Popularity.parse(file.read_bytes()).counts)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file} is no popularity file: {error}") from error

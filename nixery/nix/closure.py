"""The graph of what was built, read from Nix's database as `nix-store --dump-db` writes it.

For each path its lines are: path, SHA-256 of its NAR in hexadecimal, the NAR's bytes, its deriver or nothing, the
number of its references, and these (Nix's store-api.cc, makeValidityRegistration).
"""

from collections.abc import Iterator

from nixery.images.graph import Closure, PathInfo, StorePath


class Registrations:
    """Takes the lines as they come, blank ones too, and makes sense of them when all are there."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def line(self, line: bytes) -> None:
        """Take a line."""
        self._lines.append(line)

    def closure(self) -> Closure:
        """What all the lines say; raises ValueError when they are no dump or a reference is missing."""
        lines = iter(line.decode() for line in self._lines)
        try:
            return Closure.of(_info(path, lines) for path in lines)
        except (StopIteration, RuntimeError) as error:
            raise ValueError("the dump of Nix's database ends in the middle") from error


def _info(path: str, lines: Iterator[str]) -> PathInfo:
    nar_hash, nar_size = next(lines), int(next(lines))
    if len(nar_hash) != 64:
        raise ValueError(f"{nar_hash!r} is not a NAR's SHA-256")
    next(lines)
    references = {StorePath.parse(next(lines)) for _ in range(int(next(lines)))}
    own = StorePath.parse(path)
    return PathInfo(own, nar_hash, nar_size, tuple(sorted(references - {own})))

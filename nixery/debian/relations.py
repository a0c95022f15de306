"""Relations between packages (Depends, Provides): parsed, and tested against versions.

Source: Debian Policy 5.6.12 (versions) and 7.1 (syntax of relationship fields).
"""

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from attrs import frozen
from debian.deb822 import PkgRelation
from debian.debian_support import NativeVersion


@frozen
class Relation:
    """A package's name, the architecture it is qualified with (or None), and the versions wanted (None: any)."""

    name: str
    architecture: str | None = None
    operator: str | None = None
    version: str | None = None

    def is_met_by(self, version: str | None) -> bool:
        """Whether a package of that version will do; None is a virtual package without a version (Policy 7.5)."""
        if self.operator is None or self.version is None:
            return True
        return version is not None and _OPERATORS[self.operator](compare(version, self.version), 0)


# "<" and ">" are old spellings of "<=" and ">=".
_OPERATORS: Mapping[str, Callable[[int, int], bool]] = {
    "<<": operator.lt,
    "<=": operator.le,
    "<": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.ge,
    ">>": operator.gt,
}

# What the library cannot read comes back from it as a name.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")

Alternatives = tuple[Relation, ...]
"""Any one of these will do."""


def parse(field: str) -> list[Alternatives]:
    """The clauses of a relationship field, in its order. What cannot be read is left out of its clause."""
    sound = ", ".join(clause for clause in map(str.strip, field.split(",")) if clause)
    groups = PkgRelation.parse_relations(sound) if sound else []
    clauses = [tuple(_relation(parsed) for parsed in group if _is_sound(parsed)) for group in groups]
    return [clause for clause in clauses if clause]


@lru_cache(maxsize=1 << 16)
def compare(first: str, second: str) -> int:
    """Negative, zero or positive, as `first` is older than, the same as or newer than `second`."""
    if first == second:
        return 0
    one, other = NativeVersion(first), NativeVersion(second)
    return (one > other) - (one < other)


def _is_sound(parsed: "PkgRelation.ParsedRelation") -> bool:
    version = parsed["version"]
    return _NAME.fullmatch(parsed["name"]) is not None and (version is None or version[0] in _OPERATORS)


def _relation(parsed: "PkgRelation.ParsedRelation") -> Relation:
    comparison, version = parsed["version"] or (None, None)
    return Relation(parsed["name"], parsed["archqual"], comparison, version)

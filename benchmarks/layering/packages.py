"""The package set of the study: names, sizes, sources and dependencies, as they are at the beginning."""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Self

from attrs import asdict, frozen

from nixery.debian.groups import closure
from nixery.images.canonical import fingerprint


@frozen
class Package:
    """What becomes one store path.

    `size`: bytes installed; `source`: what it is built from, whose versions it follows; `depends`: names of other
    packages; `uses`: how many packages of the whole set depend on it directly.
    """

    name: str
    version: str
    size: int
    source: str
    depends: tuple[str, ...]
    uses: int


@frozen
class Packages:
    """Packages by name, each after all that it depends on."""

    by_name: Mapping[str, Package]

    @classmethod
    def of(cls, packages: Iterable[Package]) -> Self:
        """In an order of its own: the same packages are the same value. Raises ValueError for a cycle."""
        waiting = {package.name: package for package in sorted(packages, key=lambda package: package.name)}
        placed: dict[str, Package] = {}
        while waiting:
            ready = [name for name, package in waiting.items() if all(needed in placed for needed in package.depends)]
            if not ready:
                raise ValueError(f"{next(iter(waiting))} needs itself, or a package that is not there")
            placed.update((name, waiting.pop(name)) for name in ready)
        return cls(placed)

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `text()` wrote."""
        return cls.of(Package(**{**value, "depends": tuple(value["depends"])}) for value in json.loads(text))

    def text(self) -> str:
        """As JSON, a package to the line."""
        return "[\n" + ",\n".join(json.dumps(asdict(package)) for package in self.by_name.values()) + "\n]\n"

    def fingerprint(self) -> str:
        """Stands for all of it."""
        return fingerprint([json.dumps(asdict(package)) for package in self.by_name.values()])

    def closure(self, roots: Iterable[str]) -> frozenset[str]:
        """`roots` and all they need, directly or not."""
        return closure(self._depends, roots)

    def part(self, roots: Iterable[str]) -> Self:
        """Only what `roots` need."""
        wanted = self.closure(roots)
        return type(self)({name: package for name, package in self.by_name.items() if name in wanted})

    @cached_property
    def _depends(self) -> Mapping[str, tuple[str, ...]]:
        return {name: package.depends for name, package in self.by_name.items()}

"""Which packages a package needs: one for each clause of its dependencies, chosen the same way every time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from attrs import frozen

from nixery.debian.packages import Package
from nixery.debian.preferences import ignored_for, liking, needed_though_recommended
from nixery.debian.relations import Alternatives, Relation, parse


@frozen
class Dependencies:
    """`names` of packages; `unmet`: how many clauses nothing in the lists satisfies."""

    names: frozenset[str]
    unmet: int


class Resolver:
    """Resolves among the packages of one architecture."""

    def __init__(self, packages: Mapping[str, Package], architecture: str) -> None:
        self._packages = packages
        self._qualifiers = {None, "any", "native", "all", architecture}
        self._providers = _providers(packages)

    def virtual_names(self) -> Iterator[tuple[str, str]]:
        """Names that are only provided, each with the package that is meant by it."""
        for name, offers in self._providers.items():
            if name not in self._packages:
                yield name, offers[0][0]

    def dependencies(self, package: Package) -> Dependencies:
        """What `package` needs when its maintainer scripts do not run."""
        clauses = list(self._clauses(package))
        taken = {clause[0].name for clause in clauses if len(clause) == 1}
        names: set[str] = set()
        unmet = 0
        for clause in clauses:
            candidates = [name for relation in clause for name in self._candidates(relation)]
            if not candidates:
                unmet += 1
            elif package.name not in candidates:
                names.add(self._choice(candidates, taken | names))
        return Dependencies(frozenset(names), unmet)

    def _clauses(self, package: Package) -> Iterator[Alternatives]:
        ignored = ignored_for(package.name)
        for clause in parse(f"{package.depends}, {needed_though_recommended(package.name)}"):
            if not any(relation.name in ignored for relation in clause):
                yield clause

    def _candidates(self, relation: Relation) -> list[str]:
        """The package of that name, else those that provide the name, the best first."""
        if relation.architecture not in self._qualifiers:
            return []
        real = self._packages.get(relation.name)
        if real is not None and relation.is_met_by(real.version):
            return [real.name]
        return [name for name, version in self._providers.get(relation.name, ()) if relation.is_met_by(version)]

    def _choice(self, candidates: list[str], taken: set[str]) -> str:
        """What is there anyhow before what is named first."""
        there = (name for name in candidates if name in taken or self._packages[name].essential)
        return next(there, candidates[0])


def _providers(packages: Mapping[str, Package]) -> dict[str, list[tuple[str, str | None]]]:
    """Virtual name -> (package, version it provides or None), the best first."""
    providers: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for package in sorted(packages.values(), key=liking):
        for clause in parse(package.provides):
            providers[clause[0].name].append((package.name, clause[0].version))
    return dict(providers)

"""The study's packages, from apt's lists on this machine, grouped and resolved as the Debian package set has them."""

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import frozen
from debian.deb822 import Packages as Paragraphs

from benchmarks.layering.packages import Package, Packages
from nixery.debian import packages as lists
from nixery.debian.apt import Apt, Target, lines
from nixery.debian.groups import Group, group
from nixery.debian.resolve import Resolver

SUITE = "bookworm"
"""Security updates are left out: this list changes only with point releases."""

_KIB = 1024


@frozen
class _Origin:
    """What the lists say of a package beside its dependencies."""

    source: str
    size: int


def read(architecture: str = "amd64") -> Packages:
    """All packages of the suite; takes some 20 s. Raises SourceUnavailable, or ValueError without such a list."""
    targets = [target for target in Apt().targets(architecture) if target.suite == SUITE]
    if not targets:
        raise ValueError(f"apt has no lists of {SUITE} here; the study's figures are of that suite")
    found = {target.file: target for target in targets}.values()
    packages = lists.newest(package for target in found for package in _packages(target))
    origins = _origins(found)
    resolver = Resolver(packages, architecture)
    groups = group({name: resolver.dependencies(package).names for name, package in packages.items()})
    uses = Counter(lead for one in groups for lead in one.depends)
    return Packages.of(_package(one, packages, origins, uses) for one in groups)


def _packages(target: Target) -> Iterable[lists.Package]:
    return lists.read_packages(lines(target.file), target.base, target.priority)


def _origins(targets: Iterable[Target]) -> dict[str, _Origin]:
    fields = ["Package", "Source", "Installed-Size"]
    paragraphs = (
        paragraph
        for target in targets
        for paragraph in Paragraphs.iter_paragraphs(lines(target.file), fields=fields, use_apt_pkg=False)
    )
    return {
        paragraph["Package"]: _Origin(
            paragraph.get("Source", paragraph["Package"]).partition(" ")[0],
            max(1, int(paragraph.get("Installed-Size", "1"))) * _KIB,
        )
        for paragraph in paragraphs
    }


def _package(
    one: Group, packages: Mapping[str, lists.Package], origins: Mapping[str, _Origin], uses: Mapping[str, int]
) -> Package:
    lead = packages[one.lead]
    return Package(
        name=one.lead,
        version=lead.store_name.removeprefix(f"{lead.name}-"),
        size=sum(origins[name].size for name in one.members),
        source=origins[one.lead].source,
        depends=one.depends,
        uses=uses.get(one.lead, 0),
    )

"""From the text of Packages lists to values that are safe to name in Nix, in paths and in addresses.

Source: Debian Policy 5.6 (fields), the repository format of the Debian wiki ("Packages indices").
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen
from debian.deb822 import Packages

from nixery.debian.relations import compare

_FIELDS = {
    "Package": re.compile(r"[a-z0-9][a-z0-9+.-]+"),
    "Version": re.compile(r"(\d+:)?\d[A-Za-z0-9.+~:-]*"),
    "Filename": re.compile(r"(?!/)(?!.*(^|/)\.\.(/|$))[A-Za-z0-9_.+~%:=@,/-]+\.u?deb"),
    "SHA256": re.compile(r"[0-9a-f]{64}"),
}
_WANTED = [*_FIELDS, "Depends", "Pre-Depends", "Provides", "Essential", "Priority", "Section"]


@frozen
class Package:
    """One binary package of a list.

    `base` and `filename` make its address; `sha256` is hexadecimal; `depends` holds Pre-Depends and Depends;
    `rank` is apt's priority of the list it is in, `priority` the package's own (required ... optional).
    """

    name: str
    version: str
    base: str
    filename: str
    sha256: str
    depends: str = ""
    provides: str = ""
    essential: bool = False
    priority: str = "optional"
    section: str = ""
    rank: int = 500

    @property
    def store_name(self) -> str:
        """The name part of its store path, as expressions/debian/default.nix makes it; popularity counts by it."""
        return f"{self.name}-{self.version}".replace(":", "_").replace("~", "_")


def read_packages(lines: Iterable[bytes], base: str, rank: int = 500) -> Iterator[Package]:
    """The packages of a list whose Filename fields are relative to `base`; malformed paragraphs are left out."""
    for paragraph in Packages.iter_paragraphs(lines, fields=_WANTED, use_apt_pkg=False):
        if all(pattern.fullmatch(paragraph.get(field, "")) for field, pattern in _FIELDS.items()):
            yield _package(paragraph, base, rank)


def newest(packages: Iterable[Package], chosen: Mapping[str, Package] | None = None) -> dict[str, Package]:
    """For each name the package that apt would take: of the list of the highest rank, then of the newest version."""
    best = dict(chosen or {})
    for package in packages:
        known = best.get(package.name)
        if known is None or _precedes(known, package):
            best[package.name] = package
    return best


def _precedes(known: Package, package: Package) -> bool:
    if known.rank != package.rank:
        return known.rank < package.rank
    return compare(known.version, package.version) < 0


def _package(paragraph: Packages, base: str, rank: int) -> Package:
    return Package(
        name=paragraph["Package"],
        version=paragraph["Version"],
        base=base,
        filename=paragraph["Filename"].removeprefix("./"),
        sha256=paragraph["SHA256"],
        depends=", ".join(paragraph[field] for field in ("Pre-Depends", "Depends") if field in paragraph),
        provides=paragraph.get("Provides", ""),
        essential=paragraph.get("Essential") == "yes",
        priority=paragraph.get("Priority", "optional"),
        section=paragraph.get("Section", "").rpartition("/")[2],
        rank=rank,
    )

"""What Nix would make of the packages at one point in time: a package's path follows from its version and from its
dependencies' paths, so a new version gives new paths to all that refer to it."""

import hashlib
from collections.abc import Mapping
from functools import cached_property

from attrs import define, frozen

from benchmarks.layering.packages import Package, Packages
from benchmarks.layering.workload import Image
from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.popularity import Popularity

_BASE32 = "0123456789abcdfghijklmnpqrsvwxyz"


@frozen
class Asked:
    """What a plan is made of: an image's closure, its packages' paths, and the popularity of that time."""

    closure: Closure
    roots: tuple[StorePath, ...]
    popularity: Popularity


@define(slots=False)
class Store:
    """The store at a point in time: `versions` says how often each source has had a new version by then."""

    packages: Packages
    versions: Mapping[str, int]

    @cached_property
    def paths(self) -> dict[str, PathInfo]:
        """By the package's name."""
        paths: dict[str, PathInfo] = {}
        for name, package in self.packages.by_name.items():
            references = tuple(sorted(paths[needed].path for needed in package.depends))
            paths[name] = _info(self._name(package), package.size, references)
        return paths

    @cached_property
    def popularity(self) -> Popularity:
        """As a popularity file of that time has it: how many packages of the whole set depend on a path."""
        counts = {self._name(package): package.uses for package in self.packages.by_name.values()}
        return Popularity(counts, "study")

    def image(self, image: Image) -> Asked:
        """An image's paths with all they refer to."""
        infos = (self.paths[name] for name in self.packages.closure(image))
        return Asked(Closure.of(infos), tuple(self.paths[name].path for name in image), self.popularity)

    def _name(self, package: Package) -> str:
        times = self.versions[package.source]
        return f"{package.name}-{package.version}" + (f"+n{times}" if times else "")


def _info(name: str, size: int, references: tuple[StorePath, ...]) -> PathInfo:
    told = "\n".join([name, *(path.text for path in references)]).encode()
    digest = hashlib.sha256(told).digest()
    path = StorePath.parse(f"/nix/store/{''.join(_BASE32[byte % 32] for byte in digest)}-{name}")
    return PathInfo(path, digest.hex(), size, references)

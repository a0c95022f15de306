"""What names and tags mean, by settings alone: who builds and who reads what was built have to agree on it."""

import os
from collections.abc import Callable, Mapping

from nixery.config import Config, PackageSet
from nixery.images.canonical import fingerprint
from nixery.sources import origins
from nixery.sources.interfaces import Origin
from nixery.sources.places import places_at


def meaning(config: Config) -> tuple[object, ...]:
    """The settings that decide on what names mean: cross-building, and what nixpkgs reads of the environment."""
    read = {name: os.fsencode(text).hex() for name, text in config.environment.items() if name.startswith("NIXPKGS_")}
    cross = config.platform if config.nix.cross else None
    return (cross, read) if read or cross else ()


def in_words(config: Config) -> str:
    """What stands for those settings, after the words of the package set's origin; nothing where there are none."""
    settings = meaning(config)
    return f" with settings {fingerprint(settings)}" if settings else ""


def origin_of(packages: PackageSet) -> Origin:
    """What the Source of this package set says of itself."""
    origin = _ORIGINS[packages.kind](packages)
    return origins.as_flake(origin) if packages.flake else origin


_ORIGINS: Mapping[str, Callable[[PackageSet], Origin]] = {
    "path": lambda packages: origins.folder(packages.place),
    "git": lambda packages: origins.git(packages.place, packages.submodules),
    "channel": lambda packages: origins.channel(packages.place, places_at(packages.channel_url)),
    "debian": lambda packages: origins.debian(packages.place),
}

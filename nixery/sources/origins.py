"""Where package sets come from, by settings alone: who builds and who only reads what was built go by equal words."""

from attrs import evolve

from nixery.errors import public
from nixery.sources.interfaces import Origin
from nixery.sources.places import Places

AS_FLAKE = " as flake"
WITH_SUBMODULES = " with submodules"


def folder(path: str) -> Origin:
    """A package set in a folder, by its absolute path."""
    return Origin(f"the folder {path}", refs=False)


def debian(index: str) -> Origin:
    """Debian's, by the absolute path of its index."""
    return Origin(f"debian {index}", refs=False)


def git(url: str, submodules: bool) -> Origin:
    """A git repository."""
    return Origin(f"the git repository {public(url)}{WITH_SUBMODULES if submodules else ''}", refs=True)


def channel(name: str, places: Places) -> Origin:
    """A channel, and all else that is looked up in the same places."""
    return Origin(f"the channel {name} of {places.name}", refs=True)


def as_flake(origin: Origin) -> Origin:
    """The same, read as a flake: another package set."""
    return evolve(origin, words=origin.words + AS_FLAKE)

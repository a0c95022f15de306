"""Image names: from the path of a pull to the packages and the platform that it asks for.

See docs/architecture.md, Names.
"""

import enum
import re
from typing import Self

from attrs import frozen

from nixery.errors import NameInvalid, TagInvalid
from nixery.images.digest import Digest

MAX_CHARACTERS = 255

# OCI distribution-spec 1.1, "Pulling manifests": <name> and <reference>.
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*", re.ASCII)
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", re.ASCII)

_SHELL = ("bashInteractive", "coreutils", "moreutils", "nano")
ALWAYS = ("cacert", "iana-etc")
"""Packages that are in every image, whatever was asked for."""


class Platform(enum.Enum):
    """What an image runs on, by the name that registries use for it."""

    AMD64 = "amd64"
    ARM64 = "arm64"

    @property
    def system(self) -> str:
        """Nix's name for it."""
        return {Platform.AMD64: "x86_64-linux", Platform.ARM64: "aarch64-linux"}[self]


@frozen
class ImageName:
    """A well-formed repository name and what it means.

    `packages` are sorted and without repetition, so that another order of the same packages is an equal image;
    `platform` is None when the name leaves it to the host.
    """

    text: str
    packages: tuple[str, ...]
    platform: Platform | None
    shell: bool

    def platforms(self, default: tuple[Platform, ...]) -> tuple[Platform, ...]:
        """The platforms that it asks for; `default` where it leaves them open."""
        return default if self.platform is None else (self.platform,)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The name in `text` (what stands between /v2/ and /manifests/ in a path); raises NameInvalid."""
        components = parse_components(text)
        platform: Platform | None = None
        shell = False
        while components:
            if components[0] == "shell":
                shell = True
            elif components[0] in ("amd64", "arm64"):
                platform = _the_one_platform(platform, components[0])
            else:
                break
            components = components[1:]
        packages = {*components, *ALWAYS, *(_SHELL if shell else ())}
        return cls(text, tuple(sorted(packages)), platform, shell)


@frozen
class Tag:
    """A well-formed tag."""

    text: str


def parse_components(text: str) -> tuple[str, ...]:
    """The components of a repository name; raises NameInvalid where the grammar does not allow it."""
    if len(text) > MAX_CHARACTERS:
        raise NameInvalid(f"the name has {len(text)} characters; at most {MAX_CHARACTERS} are allowed")
    components = tuple(text.split("/"))
    for component in components:
        if _COMPONENT.fullmatch(component) is None:
            raise NameInvalid(
                f"{component!r} in {text!r} is not a name: a component is lower case letters and digits, "
                "with single '.', '_', '__' or dashes between them"
            )
    return components


def parse_reference(text: str) -> Tag | Digest:
    """The tag or digest in `text`; raises TagInvalid, or as Digest.parse where a colon says that one was meant."""
    if ":" in text:
        return Digest.parse(text)
    if _TAG.fullmatch(text) is None:
        raise TagInvalid(f"{text[:150]!r} is not a tag: at most 128 of A-Za-z0-9_.-, not first '.' or '-'")
    return Tag(text)


def _the_one_platform(chosen: Platform | None, text: str) -> Platform:
    platform = Platform(text)
    if chosen not in (None, platform):
        raise NameInvalid("the name asks for both amd64 and arm64; an image has one platform")
    return platform

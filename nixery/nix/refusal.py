"""Why a package cannot be had, in words for who asked for it: what it is, what was meant, what would allow it."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from attrs import frozen

from nixery.errors import NameInvalid
from nixery.images.name import parse_components

_WORDS = {
    "unknown": "is not in the package set",
    "unfree": "has an unfree licence, which the package set does not allow",
    "broken": "is marked as broken by the package set",
    "insecure": "is marked as insecure by the package set",
    "unsupported": "is not available for this platform",
    "not-a-derivation": "is an attribute of the package set, but not a package",
    "throws": "cannot be evaluated",
    "misdescribed": "is an image that the package set describes wrongly",
}

# nixpkgs, pkgs/stdenv/generic/check-meta.nix: the variables hold whatever config the set is called with.
_ALLOWED_BY = {
    "unfree": ("NIXPKGS_ALLOW_UNFREE", "config.allowUnfree"),
    "broken": ("NIXPKGS_ALLOW_BROKEN", "config.allowBroken"),
    "insecure": ("NIXPKGS_ALLOW_INSECURE", "config.permittedInsecurePackages"),
    "unsupported": ("NIXPKGS_ALLOW_UNSUPPORTED_SYSTEM", "config.allowUnsupportedSystem"),
}

_TOOLS = {"callPackage", "lib", "newScope", "override", "overrideDerivation", "overrideScope", "packages", "pkgs"}
"""What nixpkgs' sets of packages have besides packages."""

_SHOWN = 3
_CHARACTERS = 200


@frozen
class Refusal:
    """A package that cannot be had, and why: a word of the report, and more about it, if anything."""

    name: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        words = f"{self.name} {_WORDS.get(self.reason, self.reason)}"
        told = f"{words}: {self.detail}" if self.detail else words
        if self.reason not in _ALLOWED_BY:
            return told
        variable, option = _ALLOWED_BY[self.reason]
        return (
            f"{told} (in nixpkgs, {variable}=1 in this registry's environment allows it, "
            f"or {option} in a default.nix around it)"
        )


def did_you_mean(within: str, word: str, near: Sequence[str]) -> str:
    """A guess at what a name was meant for.

    `word` is not in the set `within` ("" for the whole one), and `near` are names there; empty when none is near.
    """
    names = {other.lower(): other for other in near}
    nearest = [names[other] for other in get_close_matches(word.lower(), names, _SHOWN, cutoff=0.7)]
    shown = _written(within, nearest)
    if shown:
        return f"did you mean {' or '.join(shown)}"
    return f"there is no {word} in {within}" if within else ""


def described(attribute: str, kind: str, members: object, size: object) -> str:
    """What an attribute is that is no package: Nix's word for its `kind`, and of a set the first of so many members."""
    if kind != "set" or not isinstance(members, list):
        return f"it is a Nix {kind}"
    shown = _written(attribute, (str(name) for name in members if name not in _TOOLS))[:_SHOWN]
    such = f"; ask for one of them, such as {' or '.join(shown)}" if shown else ""
    return f"it is a set of {size} attribute{'' if size == 1 else 's'}{such}"


def why(reasons: Sequence[object]) -> str:
    """What the package set gives as reasons: licences, known vulnerabilities. Cut to what a person reads, and may."""
    words = [" ".join(str(reason).split()) for reason in reasons[:_SHOWN]]
    shown = ["".join(filter(str.isprintable, reason))[:_CHARACTERS] for reason in words]
    more = f" and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return "; ".join(shown) + more


def _written(within: str, names: Iterable[str]) -> list[str]:
    """Attributes as an image name can say them; what none can is left out."""
    written = []
    for name in names:
        text = (f"{within}.{name}" if within else name).lower().replace("+", "plus").removeprefix("_")
        try:
            parse_components(text)
        except NameInvalid:
            continue
        written.append(text)
    return written

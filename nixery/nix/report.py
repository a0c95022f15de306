"""What an evaluation says of each package: the JSON of expressions/image.nix as values, or words on why not."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from attrs import frozen

from nixery.images.graph import StorePath

_VERSION = 1

_WORDS = {
    "unknown": "is not in the package set",
    "unfree": "has an unfree licence, which the package set does not allow (allowUnfree)",
    "broken": "is marked as broken by the package set",
    "insecure": "is marked as insecure by the package set",
    "unsupported": "is not available for this platform",
    "not-a-derivation": "is an attribute of the package set, but not a package",
    "throws": "cannot be evaluated",
}


@frozen
class Package:
    """A package that can be had. `outputs`: what goes into the image."""

    name: str
    attribute: str
    outputs: tuple[StorePath, ...]
    version: str | None
    main_program: str | None
    licences: tuple[str, ...]


@frozen
class Refusal:
    """A package that cannot be had, and why: a word of the report, and what the package itself said, if anything."""

    name: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        words = f"{self.name} {_WORDS.get(self.reason, self.reason)}"
        return f"{words}: {self.detail}" if self.detail else words


def parse_report(text: str) -> tuple[Package | Refusal, ...]:
    """The verdicts in a report, in the order in which the packages were asked for; raises ValueError."""
    try:
        value = json.loads(text)
        if value["version"] != _VERSION:
            raise ValueError(f"a report of version {value['version']!r}")
        return tuple(_verdict(entry) for entry in value["packages"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a report: {error!r}") from error


def _verdict(entry: Mapping[str, object]) -> Package | Refusal:
    match entry:
        case {"name": str(name), "reason": str(reason), "near": list(near)}:
            return Refusal(name, reason, _did_you_mean(name, near))
        case {"name": str(name), "reason": str(reason)}:
            return Refusal(name, reason)
        case {"name": str(name), "attribute": str(attribute), "outputs": list(outputs), "meta": dict(meta)}:
            return Package(
                name,
                attribute,
                tuple(StorePath.parse(output) for output in outputs),
                meta["version"],
                meta["mainProgram"],
                tuple(meta["licences"]),
            )
    raise ValueError(f"not a verdict: {entry!r}")


def _did_you_mean(name: str, near: Sequence[str]) -> str:
    """The nearest of these names, as a guess; empty when none is near."""
    names = {other.lower(): other for other in near}
    nearest = [names[other] for other in get_close_matches(name.lower(), names, cutoff=0.7)]
    return f"did you mean {' or '.join(nearest)}" if nearest else ""

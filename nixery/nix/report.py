"""What an evaluation says of each package: the JSON of expressions/image.nix as values."""

import json
from collections.abc import Mapping

from attrs import frozen

from nixery.images.graph import StorePath
from nixery.nix.refusal import Refusal, described, did_you_mean, why

_VERSION = 1


@frozen
class Package:
    """A package that can be had. `outputs`: what goes into the image."""

    name: str
    attribute: str
    outputs: tuple[StorePath, ...]
    version: str | None
    main_program: str | None
    licences: tuple[str, ...]


def parse_report(text: str) -> tuple[Package | Refusal, ...]:
    """The verdicts in a report, in the order in which the packages were asked for; raises ValueError."""
    try:
        value = json.loads(text)
        if value["version"] != _VERSION:
            raise ValueError(f"a report of version {value['version']!r}")
        return tuple(_verdict(entry) for entry in value["packages"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a report: {error!r}") from error


def looked_at(text: str | None) -> str | None:
    """The package that was looked at last, from what an evaluation said last.

    Empty while the package set was opened, before any; None after a whole report.
    """
    try:
        value = "" if text is None else json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _verdict(entry: Mapping[str, object]) -> Package | Refusal:
    match entry:
        case {"name": str(name), "reason": str(reason), "within": str(within), "word": str(word), "near": list(near)}:
            return Refusal(name, reason, did_you_mean(within, word, near))
        case {"name": str(name), "reason": str(reason), "attribute": str(attribute), "kind": str(kind)}:
            return Refusal(name, reason, described(attribute, kind, entry.get("members"), entry.get("size")))
        case {"name": str(name), "reason": str(reason), "why": list(reasons)}:
            return Refusal(name, reason, why(reasons))
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

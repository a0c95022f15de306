"""What an evaluation says of each package: the JSON of expressions/image.nix as values."""

import json
from collections.abc import Mapping

from attrs import frozen

from nixery.images.config import ImageConfig
from nixery.images.graph import Closure, StorePath
from nixery.nix.refusal import Refusal, described, did_you_mean, why

_VERSION = 2


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
class Described:
    """An image that the package set describes itself."""

    name: str
    config: ImageConfig

    def refused(self, closure: Closure) -> Refusal | None:
        """What is wrong with it when its packages have this closure: a config may name what is in none of them."""
        stored = {str(info.path): info.path.directory for info in closure}
        named = {path for store in set(stored.values()) for path in self.config.store_paths(store)}
        missing = sorted(named - set(stored))
        if not missing:
            return None
        return _misdescribed(self.name, f"config names {missing[0]}, which is in none of its packages: add the package")


@frozen
class Report:
    """The verdicts, in the order of the packages, and the image if it is one that the package set describes."""

    verdicts: tuple[Package | Refusal, ...]
    image: Described | None = None


def parse_report(text: str) -> Report:
    """A report as values; raises ValueError. What is wrong with a config becomes a refusal."""
    try:
        value = json.loads(text)
        if value["version"] != _VERSION:
            raise ValueError(f"a report of version {value['version']!r}")
        verdicts = tuple(_verdict(entry) for entry in value["packages"])
        return _with_image(verdicts, value["image"]) if "image" in value else Report(verdicts)
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


def _with_image(verdicts: tuple[Package | Refusal, ...], image: Mapping[str, object]) -> Report:
    name = str(image["name"])
    try:
        return Report(verdicts, Described(name, ImageConfig.parse(image["config"])))
    except ValueError as error:
        return Report((_misdescribed(name, str(error)), *verdicts))


def _misdescribed(name: str, words: str) -> Refusal:
    return Refusal(name, "misdescribed", f"nixery.images.{name}.{words}")


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

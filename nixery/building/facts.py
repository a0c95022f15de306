"""What an image runs and what is said of it, from its recipe and from what Nix evaluated."""

import re

from attrs import evolve

from nixery.images.config import ImageConfig, printable
from nixery.images.manifest import ANNOTATION
from nixery.images.name import ALWAYS
from nixery.images.recipe import Recipe
from nixery.nix.driver import Built
from nixery.nix.report import Package

# SPDX specification 2.3, annex D: a licence by its identifier or its reference, with or without an exception.
_LICENCE = re.compile(r"[0-9A-Za-z.-]+\+?(?: WITH [0-9A-Za-z.-]+)?")
_PROGRAM = re.compile(r"[^/\s]*[^/\s.][^/\s]*")
_MOST_CHARACTERS = 4096
"""Of licences: an image may be of a hundred packages."""


def settings(recipe: Recipe, built: Built) -> ImageConfig:
    """The config that the package set describes; else the recipe's command, or the program of a single package."""
    config = built.config or ImageConfig(command=recipe.command)
    package, runs = _single(built), config.entrypoint or config.command
    program = "" if runs or package is None else package.main_program or ""
    return evolve(config, command=(program,)) if printable(program) and _PROGRAM.fullmatch(program) else config


def annotations(recipe: Recipe, built: Built) -> tuple[tuple[str, str], ...]:
    """What the OCI manifest says beside when it was created, sorted (OCI image-spec, "Annotations").

    Nothing but what the recipe's key decides on.
    """
    package = _single(built)
    said = {
        "licenses": _licences(built),
        "revision": _revision(recipe),
        "source": recipe.home or "",
        "version": "" if package is None else package.version or "",
    }
    return tuple((ANNOTATION + key, text) for key, text in said.items() if text and printable(text))


def _single(built: Built) -> Package | None:
    asked = [package for package in built.packages if package.name not in ALWAYS]
    return asked[0] if len(asked) == 1 else None


def _revision(recipe: Recipe) -> str:
    """The commit that the packages are of; else the pin, which is a store path or the hash of their content."""
    return recipe.pin.partition(" ")[0] if recipe.kind in ("git", "channel") else recipe.pin


def _licences(built: Built) -> str:
    """An SPDX expression for all packages that were asked for; empty where one of them does not say."""
    licences = {licence for package in built.packages for licence in package.licences}
    told = all(package.licences for package in built.packages) and all(map(_LICENCE.fullmatch, licences))
    expression = " AND ".join(sorted(licences))
    return expression if told and len(expression) <= _MOST_CHARACTERS else ""

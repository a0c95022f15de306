"""What an image runs, and what its manifest says of it."""

import pytest
from attrs import evolve

from nixery.building.facts import annotations, settings
from nixery.images.config import ImageConfig
from nixery.images.graph import Closure
from nixery.images.name import Platform
from nixery.images.recipe import Recipe
from nixery.nix.driver import Built
from nixery.nix.report import Package

RECIPE = Recipe("git", "1" * 40, "e", ("cacert", "hello", "iana-etc"), Platform.AMD64, (), "graph", 94, "1", "abc")
HELLO = Package("hello", "hello", (), "2.12", "hello", ("GPL-3.0-or-later",))
CACERT = Package("cacert", "cacert", (), "3.1", "no", ("MPL-2.0",))
IANA = Package("iana-etc", "iana-etc", (), "4.1", None, ("LicenseRef-free", "MIT"))
OTHER = Package("other", "other", (), "1", "other", ("MIT",))


def built(*packages: Package, config: ImageConfig | None = None) -> Built:
    return Built((CACERT, *packages, IANA), Closure.of([]), "", config)


def said(what: Built, recipe: Recipe = RECIPE) -> dict[str, str]:
    return {key.removeprefix("org.opencontainers.image."): text for key, text in annotations(recipe, what)}


def test_a_single_package_runs_its_program() -> None:
    assert settings(RECIPE, built(HELLO)) == ImageConfig(command=("hello",))


@pytest.mark.parametrize("program", [None, "", ".", "..", "../x", "a/b", "a b", "a\n", "\x1b", "\ud800"])
def test_what_is_no_programs_name_is_not_run(program: str | None) -> None:
    assert settings(RECIPE, built(evolve(HELLO, main_program=program))) == ImageConfig()


@pytest.mark.parametrize("packages", [(), (HELLO, OTHER)])
def test_none_and_several_packages_run_nothing(packages: tuple[Package, ...]) -> None:
    assert settings(RECIPE, built(*packages)) == ImageConfig()


def test_the_command_of_a_name_comes_first() -> None:
    assert settings(evolve(RECIPE, command=("bash",)), built(HELLO)).command == ("bash",)


def test_a_described_image_runs_what_it_says_and_else_its_single_program() -> None:
    entrypoint = ImageConfig(entrypoint=("/bin/server",))
    assert settings(RECIPE, built(HELLO, config=entrypoint)) == entrypoint
    user = ImageConfig(user="nobody")
    assert settings(RECIPE, built(HELLO, config=user)) == ImageConfig(user="nobody", command=("hello",))


def test_annotations_tell_the_revision_the_version_and_the_licences() -> None:
    assert said(built(HELLO)) == {
        "licenses": "GPL-3.0-or-later AND LicenseRef-free AND MIT AND MPL-2.0",
        "revision": "1" * 40,
        "version": "2.12",
    }
    assert list(annotations(RECIPE, built(HELLO))) == sorted(annotations(RECIPE, built(HELLO)))


def test_the_source_is_said_where_there_is_one() -> None:
    assert said(built(HELLO), evolve(RECIPE, home="https://example.org/set"))["source"] == "https://example.org/set"
    for home in (None, "", "https://example.org/\x1b[31m"):
        assert "source" not in said(built(HELLO), evolve(RECIPE, home=home))


@pytest.mark.parametrize(
    ("kind", "pin", "revision"),
    [
        ("git", "a" * 40 + " with submodules", "a" * 40),
        ("channel", "b" * 40 + " " + "0" * 52, "b" * 40),
        ("path", "/nix/store/" + "c" * 32 + "-a set", "/nix/store/" + "c" * 32 + "-a set"),
    ],
)
def test_the_revision_is_a_commit_where_there_is_one(kind: str, pin: str, revision: str) -> None:
    assert said(built(HELLO), evolve(RECIPE, kind=kind, pin=pin))["revision"] == revision


def test_several_packages_have_no_version() -> None:
    assert "version" not in said(built(HELLO, OTHER))


@pytest.mark.parametrize("version", [None, "", "1\n2", "\x1b[1m"])
def test_what_is_no_version_is_not_told(version: str | None) -> None:
    assert "version" not in said(built(evolve(HELLO, version=version)))


@pytest.mark.parametrize(
    "licences", [(), ("MIT", "some words"), ("LicenseRef-a/b",), ("",), tuple(f"L{n}" for n in range(999))]
)
def test_licences_are_told_whole_or_not_at_all(licences: tuple[str, ...]) -> None:
    assert "licenses" not in said(built(evolve(HELLO, licences=licences)))


def test_an_exception_is_part_of_a_licence() -> None:
    licences = ("Apache-2.0 WITH LLVM-exception",)
    assert said(built(evolve(HELLO, licences=licences)))["licenses"].startswith("Apache-2.0 WITH LLVM-exception AND")

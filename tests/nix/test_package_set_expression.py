"""package-set.nix and call.nix, on the real Nix: one way to open whatever a folder has."""

from pathlib import Path

import pytest

from tests.nix.evaluation import opened

pytestmark = pytest.mark.integration

FLAKES = ("--option", "extra-experimental-features", "flakes")
OVERLAYS_NAMED = "{ overlays }: { overlays = overlays ++ [ (import ./overlays/b.nix) ]; }"
ALL = {"system": "x86_64-linux", "config": {}, "overlays": []}


@pytest.mark.parametrize(
    ("content", "given"),
    [
        ("{ system, config, overlays }@given: given", ALL),
        ("{ system }@given: given", {"system": "x86_64-linux"}),
        ('{ system ? "", config ? 1, more ? 2 }@given: given', {"system": "x86_64-linux", "config": {}}),
        ("{ system, ... }@given: given", ALL),
        ("{ ... }@given: given", ALL),
        ("{ }@given: given", {}),
        ("given: given", ALL),
        ("{ plain = 1; }", {"plain": 1}),
        ("{ __functor = self: { system }@given: given // self.x; x.y = 1; }", {"system": "x86_64-linux", "y": 1}),
        ("{ __functor = self: given: given; __functionArgs.config = true; }", {"config": {}}),
    ],
)  # fmt: skip
def test_a_set_is_given_what_it_takes(tmp_path: Path, content: str, given: object) -> None:
    (tmp_path / "default.nix").write_text(content)
    assert opened(tmp_path)[0] == given


def test_what_a_source_adds_goes_to_the_set_too(tmp_path: Path) -> None:
    (tmp_path / "default.nix").write_text("{ index }: { inherit index; }")
    assert opened(tmp_path, {"index": "here"})[0] == {"index": "here"}


@pytest.mark.parametrize("needed", ["99", "2.100.1"])
@pytest.mark.parametrize("flake", ["yes", "no"])
def test_a_set_for_a_newer_nix_is_refused_with_both_versions(tmp_path: Path, needed: str, flake: str) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "minver.nix").write_text(f'"{needed}"')
    (tmp_path / "lib" / ".version").write_text("25.05\n")
    (tmp_path / "default.nix").write_text("this does not even parse")
    found, stderr = opened(tmp_path, {"flake": flake})
    assert found is None
    assert f"{tmp_path} (version 25.05) asks for Nix {needed} or newer, and this is Nix 2." in stderr


@pytest.mark.parametrize("needed", ['"2.3"', "{ }"])
def test_a_set_for_this_nix_or_that_says_something_else_is_opened(tmp_path: Path, needed: str) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "minver.nix").write_text(needed)
    (tmp_path / "default.nix").write_text("{ }")
    assert opened(tmp_path)[0] == {}


def _files(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


@pytest.mark.parametrize(
    ("files", "overlays"),
    [
        ({}, []),
        ({"overlays.nix": "[ 1 2 ]"}, [1, 2]),
        ({"overlays.nix": "1"}, [1]),
        ({"overlays/b.nix": "2", "overlays/a/default.nix": "1", "overlays/.c.nix": "3", "overlays/README": ""}, [1, 2]),
        ({"overlays/default.nix": "{ b = 2; a = 1; }", "overlays/c.nix": "3"}, [1, 2]),
        ({"overlays.nix": "[ 1 ]", "overlays/b.nix": "2"}, [1]),
        ({"overlays/b.nix": "2", "default.nix": OVERLAYS_NAMED}, [2]),
    ],
)  # fmt: skip
def test_overlays_beside_the_set_are_offered_to_it(tmp_path: Path, files: dict[str, str], overlays: object) -> None:
    _files(tmp_path, {"default.nix": "{ overlays }: { inherit overlays; }", **files})
    assert opened(tmp_path) == ({"overlays": overlays}, "")


def test_a_set_that_takes_no_overlays_is_not_given_any(tmp_path: Path) -> None:
    _files(tmp_path, {"default.nix": "{ system }: { }", "overlays.nix": "not even Nix :"})
    assert opened(tmp_path)[0] == {}


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        ("{ legacyPackages.x86_64-linux.hello = 1; packages.x86_64-linux.hello = 2; }", {"hello": 1}),
        ("{ legacyPackages.other.hello = 1; packages.x86_64-linux.hello = 2; }", {"hello": 2}),
    ],
)
def test_a_flake_is_asked_for_its_packages_by_option(tmp_path: Path, outputs: str, found: object) -> None:
    _files(tmp_path, {"flake.nix": f"{{ outputs = {{ self }}: {outputs}; }}", "default.nix": "{ hello = 3; }"})
    assert opened(tmp_path, {"flake": "yes"}, FLAKES)[0] == found
    assert opened(tmp_path, {"flake": "no"})[0] == {"hello": 3}
    assert opened(tmp_path)[0] == {"hello": 3}


def test_a_flake_without_packages_for_the_system_says_so(tmp_path: Path) -> None:
    _files(tmp_path, {"flake.nix": "{ outputs = { self }: { }; }"})
    words = "has neither legacyPackages.x86_64-linux nor packages.x86_64-linux"
    assert words in opened(tmp_path, {"flake": "yes"}, FLAKES)[1]


def test_a_folder_without_a_set_says_what_it_lacks(tmp_path: Path) -> None:
    assert f"{tmp_path} has no default.nix\n" in opened(tmp_path)[1]
    _files(tmp_path, {"flake.nix": "{ }"})
    assert "has no default.nix; set NIXERY_FLAKE=yes for its flake.nix" in opened(tmp_path)[1]

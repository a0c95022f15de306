"""What builders and readers of one storage go by, each by their own settings."""

import os
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor

from nixery import tap
from nixery.building.stored import StoredImages
from nixery.building.tags import Tags
from nixery.config import read_config
from nixery.images.name import Platform
from nixery.sources.interfaces import Origin
from nixery.tap import stored
from nixery.tap.meaning import origin_of
from nixery.tap.stored import STORED_SETTINGS

SET = str(Path(__file__).parent.parent.parent / "nixery" / "expressions" / "debian")

SETS: list[dict[str, str]] = [
    {"NIXERY_PKGS_PATH": SET},
    {"NIXERY_PKGS_PATH": f"{SET}/default.nix", "NIXERY_FLAKE": "yes"},
    {"NIXERY_PKGS_REPO": "https://me:secret@git.example/set.git"},
    {"NIXERY_PKGS_REPO": "git@git.example:set.git", "NIXERY_GIT_SUBMODULES": "yes", "NIXERY_FLAKE": "yes"},
    {"NIXERY_CHANNEL": "nixos-25.05"},
    {"NIXERY_CHANNEL": "nixos-25.05", "NIXERY_CHANNEL_URL": "https://mirror.example/nix/"},
    {"NIXERY_DEBIAN_INDEX": "index", "NIXERY_PLATFORMS": "arm64,amd64"},
    {"NIXERY_PKGS_PATH": SET, "NIXERY_CROSS": "yes", "NIXPKGS_ALLOW_UNFREE": "1"},
]


class Noted:
    """Stands for a class, and notes what it was called with."""

    def __init__(self, made: Any) -> None:
        self.made = made
        self.arguments: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> Any:
        self.arguments.append(arguments)
        return self.made(*arguments)


@pytest.mark.integration
@pytest.mark.parametrize("settings", SETS)
def test_readers_look_where_builders_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "index.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    environment = {"PATH": os.environ["PATH"], "STATE_DIRECTORY": str(tmp_path), **settings}
    tags, images = Noted(Tags), Noted(StoredImages)
    monkeypatch.setattr(tap, "Tags", tags)
    monkeypatch.setattr(stored, "StoredImages", images)
    tap.wire(read_config(environment, {}, "x86_64", 1, None), reactor)  # type: ignore[arg-type]  # a module
    stored.wire(read_config(environment, {}, "x86_64", 1, None, STORED_SETTINGS), reactor)  # type: ignore[arg-type]
    [(source, platforms, _, _, serving)], [(_, meaning, _)] = tags.arguments, images.arguments
    assert meaning.origin == source.origin
    assert meaning.settings == serving.settings
    assert meaning.platforms == platforms._platforms


@pytest.mark.parametrize(
    ("settings", "origin"),
    [
        ({"NIXERY_PKGS_PATH": "/nowhere/set"}, Origin("the folder /nowhere/set", refs=False)),
        ({"NIXERY_PKGS_PATH": "/nowhere/set/default.nix"}, Origin("the folder /nowhere/set", refs=False)),
        ({"NIXERY_DEBIAN_INDEX": "/nowhere/index/"}, Origin("debian /nowhere/index", refs=False)),
        ({"NIXERY_PKGS_REPO": "/nowhere/set.git"}, Origin("the git repository /nowhere/set.git", refs=True)),
    ],
)
def test_a_reader_needs_no_package_set(settings: dict[str, str], origin: Origin) -> None:
    assert origin_of(read_config(settings, {}, "x86_64", 1, None, STORED_SETTINGS).packages) == origin


def test_what_only_builders_read_is_passed_over() -> None:
    only = {
        "NIX_TIMEOUT": "wrong",
        "NIX_POPULARITY_URL": "/nowhere",
        "NIXERY_BUILDERS": "@/nowhere",
        "NIXERY_HOLD": "x",
    }
    config = read_config({"NIXERY_CHANNEL": "c", **only}, {}, "aarch64", 1, None, STORED_SETTINGS)
    assert (config.popularity, config.platforms) == (None, (Platform.ARM64.value,))


def test_passwords_play_no_part() -> None:
    def origin(repository: str) -> Origin:
        return origin_of(read_config({"NIXERY_PKGS_REPO": repository}, {}, "x86_64", 1, None, STORED_SETTINGS).packages)

    assert origin("https://me:secret@git.example/set.git") == origin("https://git.example/set.git")

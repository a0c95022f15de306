"""How scripts/quickstart chooses a package set, with the real Nix and a channel server on this machine."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon import NIX_CONFIG, PROJECT
from tests.scripts.channels import serving

_CHOOSE = """
set -euo pipefail
python=python3
for file in steps parts venv nix package-set; do . "scripts/lib/$file.sh"; done
use_debian() { export NIXERY_DEBIAN_INDEX=debian; }
prepare_for_debian() { :; }
choose_package_set
echo "${NIXERY_PKGS_PATH:-}${NIXERY_CHANNEL:-}${NIXERY_DEBIAN_INDEX:-} ${NIXERY_CHANNEL_URL:-}"
"""


@pytest.fixture
def server() -> Iterator[str]:
    with serving() as address:
        yield address


def choose(folder: Path, **settings: str) -> tuple[str, str]:
    """What is chosen (a path, a channel with its mirror, or `debian`), and what was said."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NIX_CONFIG": NIX_CONFIG, **settings}
    done = subprocess.run(
        ["bash", "-c", _CHOOSE], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_channel_that_can_be_used_is_the_daemons_to_fetch(tmp_path: Path, server: str, slash: str) -> None:
    mirror = f"{server}/good{slash}"
    chosen, said = choose(tmp_path, NIXERY_CHANNEL_URL=mirror)
    assert chosen == f"nixos-unstable {mirror}"
    assert f"the nixpkgs channel nixos-unstable, from {server}/good" in said


@pytest.mark.parametrize(("path", "why"), [("/too-new", "needs Nix 99.1 or newer"), ("/nowhere", "404")])
def test_without_a_channel_it_is_debian_and_it_says_why(tmp_path: Path, server: str, path: str, why: str) -> None:
    chosen, said = choose(tmp_path, NIXERY_CHANNEL_URL=server + path)
    assert chosen.startswith("debian ")
    assert why in said


def test_the_users_own_choice_stands(tmp_path: Path) -> None:
    chosen, said = choose(tmp_path, NIXERY_PKGS_PATH="/my/set", NIXERY_CHANNEL_URL="http://127.0.0.1:9/")
    assert chosen.startswith("/my/set ")
    assert "yours" in said

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
echo "${NIXERY_PKGS_PATH:-} ${NIXERY_DEBIAN_INDEX:-}"
"""


@pytest.fixture
def server() -> Iterator[str]:
    with serving() as address:
        yield address


def choose(folder: Path, **settings: str) -> tuple[str, str]:
    """What is chosen (a path, or `debian`), and what was said."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NIX_CONFIG": NIX_CONFIG, **settings}
    done = subprocess.run(
        ["bash", "-c", _CHOOSE], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_a_channel_becomes_a_store_path_that_is_held_and_kept_for_a_day(tmp_path: Path, server: str) -> None:
    chosen, said = choose(tmp_path, NIXERY_CHANNEL_URL=f"{server}/channel")
    assert (Path(chosen) / "lib/minver.nix").is_file()
    assert f"Fetching the channel {server}/good" in said
    held = tmp_path / ".local/state/nixery/channel"
    assert str(held.readlink()) == chosen
    roots = subprocess.run(["nix-store", "--query", "--roots", chosen], capture_output=True, text=True, check=True)
    assert str(held) in roots.stdout
    again, said = choose(tmp_path, NIXERY_CHANNEL_URL=f"{server}/channel")
    assert (again, "Fetching" in said) == (chosen, False)


def test_a_channel_that_cannot_be_read_any_more_stays_as_it_was(tmp_path: Path, server: str) -> None:
    chosen, _ = choose(tmp_path, NIXERY_CHANNEL_URL=f"{server}/channel")
    state = tmp_path / ".local/state/nixery"
    os.utime(state / "channel", (0, 0), follow_symlinks=False)
    (state / "channel.url").write_text(f"{server}/gone")
    again, said = choose(tmp_path, NIXERY_CHANNEL_URL=f"{server}/gone")
    assert (again, "stays as it was fetched" in said) == (chosen, True)
    other, said = choose(tmp_path, NIXERY_CHANNEL_URL=f"{server}/no-tarball")
    assert (other, "No nixpkgs channel" in said) == ("debian", True), "another channel than was kept"


@pytest.mark.parametrize(("path", "why"), [("/too-new", "needs Nix 99.1 or newer"), ("/nowhere", "404")])
def test_without_a_channel_it_is_debian_and_it_says_why(tmp_path: Path, server: str, path: str, why: str) -> None:
    chosen, said = choose(tmp_path, NIXERY_CHANNEL_URL=server + path)
    assert chosen == "debian"
    assert why in said


def test_the_users_own_choice_stands(tmp_path: Path) -> None:
    chosen, said = choose(tmp_path, NIXERY_PKGS_PATH="/my/set", NIXERY_CHANNEL_URL="http://127.0.0.1:9/")
    assert chosen == "/my/set"
    assert "yours" in said

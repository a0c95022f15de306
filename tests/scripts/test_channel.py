"""scripts/lib/channel.py: whether a channel can be used, and where its tarball lies."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.channels import serving

PROGRAM = Path(__file__).parent.parent.parent / "scripts/lib/channel.py"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


def ask(url: str, nix: str = "nix-store (Nix) 2.26.3") -> tuple[int, str]:
    done = subprocess.run([sys.executable, PROGRAM, url, nix], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("nix", ["nix-store (Nix) 2.3", "nix-store (Nix) 2.26.3", "nix-store (Lix) 3.0"])
def test_a_channel_is_told_by_the_release_that_it_redirects_to(server: str, nix: str) -> None:
    assert ask(f"{server}/channel", nix) == (0, f"{server}/good\n")


def test_a_nix_that_is_too_old_is_named_with_what_is_needed(server: str) -> None:
    status, said = ask(f"{server}/too-new", "nix-store (Nix) 2.8.0")
    assert status == 1
    assert said == f"{server}/too-new needs Nix 99.1 or newer, and this is 2.8.0\n"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere", "404"),
        ("/no-minimum", "lib/minver.nix"),
        ("/odd-minimum", "no version number"),
        ("/no-tarball", "cannot be read"),
    ],
)
def test_what_is_no_channel_is_one_line_that_says_why(server: str, path: str, words: str) -> None:
    status, said = ask(server + path)
    assert status == 1
    assert words in said
    assert said.count("\n") == 1


def test_a_server_that_is_not_there_is_one_line_too() -> None:
    status, said = ask("http://127.0.0.1:9/channel")
    assert status == 1
    assert "Connection refused" in said

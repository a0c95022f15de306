"""scripts/lib/channel.py: whether the daemon could use a channel."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixery.sources.places import PUBLIC
from tests.scripts.channels import COMMITS, serving

SCRIPTS = Path(__file__).parent.parent.parent / "scripts/lib"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


def ask(mirror: str, nix: str = "nix-store (Nix) 2.26.3") -> tuple[int, str]:
    addresses = (f"{mirror}/nixos-unstable/git-revision", f"{mirror}/archive")
    command = (sys.executable, SCRIPTS / "channel.py", *addresses, nix)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("nix", ["nix-store (Nix) 2.3", "nix-store (Nix) 2.26.3", "nix-store (Lix) 3.0"])
def test_a_channel_that_this_nix_is_new_enough_for_can_be_used(server: str, nix: str) -> None:
    assert ask(f"{server}/good", nix) == (0, "")


def test_a_nix_that_is_too_old_is_named_with_what_is_needed(server: str) -> None:
    status, said = ask(f"{server}/too-new", "nix-store (Nix) 2.8.0")
    assert status == 1
    tarball = f"{server}/too-new/archive/{COMMITS['too-new']}.tar.gz"
    assert said == f"{tarball} needs Nix 99.1 or newer, and this is 2.8.0\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere", "404"),
        ("no-revision", "no commit's id"),
        ("gone", "404"),
        ("no-minimum", "lib/minver.nix"),
        ("odd-minimum", "no version number"),
        ("no-tarball", "cannot be read"),
        ("cut-off", "cannot be read"),
    ],
)
def test_what_is_no_channel_is_one_line_that_says_why(server: str, name: str, words: str) -> None:
    status, said = ask(f"{server}/{name}")
    assert status == 1
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:9", "http://me:secret@127.0.0.1:9", "no address"])
def test_a_server_that_is_not_there_is_one_line_too(mirror: str) -> None:
    status, said = ask(mirror)
    assert status == 1
    assert said.count("\n") == 1
    assert "secret" not in said


def test_quickstart_looks_where_the_daemon_will() -> None:
    text = (SCRIPTS / "package-set.sh").read_text()
    assert ":-" + PUBLIC.revisions[0].url.removesuffix("/{ref}/git-revision") + "}" in text
    assert ":-" + PUBLIC.tarball.removesuffix("/archive/{commit}.tar.gz") + "}/archive" in text

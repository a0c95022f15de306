"""Where package sets say that they are developed, and what they keep to themselves."""

from pathlib import Path

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from nixery.images.name import Tag
from nixery.sources.git import GitUpstream
from nixery.sources.git_program import Git
from nixery.sources.home import home_of
from tests.sources.git_world import LATEST, A, StandIn, World


@pytest.mark.parametrize(
    ("url", "home"),
    [
        ("https://example.org/set.git", "https://example.org/set.git"),
        ("http://example.org:8080/~me/a%20b/", "http://example.org:8080/~me/a%20b/"),
        ("https://me:secret@example.org/set", "https://example.org/set"),
        ("https://token@example.org/set?token=x#y", "https://example.org/set"),
        ("ssh://git@example.org:22/set", "ssh://example.org:22/set"),
        ("https://[2001:db8::1]:444/set", "https://[2001:db8::1]:444/set"),
    ],
)
def test_a_repositorys_home_is_its_url_without_secrets(url: str, home: str) -> None:
    assert home_of(url) == home


@pytest.mark.parametrize(
    "url",
    [
        "/srv/set",
        "set",
        "file:///srv/set",
        "git://example.org/set",
        "git@example.org:set",
        "https:///set",
        "https://example.org:port/set",
        "https://[example.org/set",
        "https://me:se/cret@example.org/set",
        "https://me:1/cret@example.org/set",
        "https://me:1?cret@example.org/set",
        "https://me:1#cret@example.org/set",
        "",
    ],
)
def test_what_is_no_such_url_has_no_home(url: str) -> None:
    assert home_of(url) is None


@given(st.text("ab:/?#@[]%1\\ \n"))
def test_no_password_is_ever_shown(password: str) -> None:
    assert "hunter2" not in (home_of(f"https://me:{password}hunter2{password}@example.org/set") or "")


def test_two_refs_at_one_commit_have_one_home(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.pinned(LATEST).home == "https://example.org/set.git"
    assert world.pinned(Tag("main")) == world.pinned(Tag(A)) == world.pinned(LATEST)


@pytest_twisted.ensureDeferred
async def test_a_repository_of_this_host_has_none(tmp_path: Path) -> None:
    upstream = GitUpstream("/srv/set", Git(StandIn(), {}), "/git.nix", str(tmp_path), Clock(), 300)
    assert (await upstream.have(A)).home is None

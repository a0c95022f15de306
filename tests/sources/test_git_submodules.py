"""Where submodules are."""

import pytest

from nixery.sources.git_submodules import absolute


@pytest.mark.parametrize(
    ("parent", "url", "whole"),
    [
        ("https://host/a/set.git", "../lib.git", "https://host/a/lib.git"),
        ("ssh://me@host:22/a/set", "./lib", "ssh://me@host:22/a/set/lib"),
        ("git@host:a/set", "../lib", "git@host:a/lib"),
        ("/srv/set", "../lib", "/srv/lib"),
        ("file:///srv/set", "../lib", "file:///srv/lib"),
        ("/srv/set", "https://host/lib", "https://host/lib"),
    ],
)
def test_a_submodules_url_may_start_from_its_parents(parent: str, url: str, whole: str) -> None:
    assert absolute(parent, url) == whole

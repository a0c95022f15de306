import argparse
from pathlib import Path

import pytest

from nixery.commands.arguments import architecture, cache_folder


@pytest.mark.parametrize("text", ["amd64", "kfreebsd-amd64"])
def test_an_architecture_is_taken_as_it_is(text: str) -> None:
    assert architecture(text) == text


@pytest.mark.parametrize("text", ["", "../x", "a;b", "AMD64", "amd64\n"])
def test_what_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        architecture(text)


def test_what_is_fetched_is_kept_in_the_cache_folder() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/c"}, Path("/var/index")) == Path("/c/nixery")
    assert cache_folder({"XDG_CACHE_HOME": "relative"}, Path("/var/index")) == Path("/var/.nixery-cache")
    assert cache_folder({}, Path("/var/index")) == Path("/var/.nixery-cache")

"""Where nixpkgs is looked up: addresses that no tag can lead astray."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.sources.places import PUBLIC, Places, commit_in, refs

TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True)
A = "a" * 40


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("nixos-unstable", ("nixos-unstable",)),
        ("release--24.05", ("release--24.05", "release/24.05")),
        ("a--b--c", ("a--b--c", "a/b/c")),
        ("a---b", ("a---b",)),
        ("feature/x", ("feature/x",)),
    ],
)
def test_two_dashes_may_stand_for_a_slash(text: str, meant: tuple[str, ...]) -> None:
    assert refs(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "a..b",
        "..",
        "a--..--b",
        "a.",
        "a.lock",
        "",
        "/",
        "a//b",
        "a/",
        "/a",
        "-a",
        "a?b",
        "a%2fb",
        "a b",
        "a\n",
        "\u00e4",
    ],
)
def test_what_git_lets_no_ref_be_called_is_not_asked_for(text: str) -> None:
    assert refs(text) == ()


@pytest.mark.parametrize("text", ["a--.--b", "a.lock--b", "a--"])
def test_what_is_no_ref_with_slashes_is_one_without(text: str) -> None:
    assert refs(text) == (text,)


@given(st.text() | TAG)
def test_every_address_is_in_the_place_that_it_was_made_for(text: str) -> None:
    for place in (*PUBLIC.revisions, *Places.mirror("https://mirror.example/nixpkgs/").revisions):
        for ref in refs(text):
            url = place.of(ref)
            head, _, tail = place.url.partition("{ref}")
            assert url.startswith(head)
            assert url.endswith(tail)
            parts = urlsplit(urljoin(url, url))
            assert (parts.query, parts.fragment) == ("", "")
            assert parts.path.isascii()
            assert "%" not in parts.path
            assert urlsplit(urljoin(url, ".")).path.startswith(urlsplit(head).path)


def test_a_mirror_is_named_without_its_password() -> None:
    mirror = Places.mirror("https://me:secret@mirror.example/nixpkgs/")
    assert mirror.name == "https://mirror.example/nixpkgs"
    assert mirror.archive(A) == f"https://me:secret@mirror.example/nixpkgs/archive/{A}.tar.gz"
    assert [place.of("a/b") for place in mirror.revisions] == [
        "https://me:secret@mirror.example/nixpkgs/a/b/git-revision"
    ]


@pytest.mark.parametrize("body", [A, A + "\n", f"  {A}\r\n"])
def test_a_commits_id_may_stand_on_a_line_of_its_own(body: str) -> None:
    assert commit_in(body.encode()) == A


@pytest.mark.parametrize(
    "body", [b"", b"\xff" * 40, b"A" * 40, A[1:].encode(), A.encode() * 2, b"<html>", f"{A} {A}".encode()]
)
def test_anything_else_is_no_commits_id(body: bytes) -> None:
    assert commit_in(body) is None

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.errors import ManifestUnknown, SourceUnavailable
from nixery.images.name import Tag
from nixery.sources.refs import Listing, Ref, Refs, commit_id

A, B, C = ("abc"[n] * 40 for n in range(3))


def listed(*lines: str, most: int = 100) -> Refs:
    listing = Listing(most)
    for line in lines:
        listing.line(line.encode())
    return listing.refs()


def test_latest_is_the_default_branch_also_where_a_branch_has_that_name() -> None:
    refs = listed(f"{A}\tHEAD", f"{B}\trefs/heads/latest", f"{A}\trefs/heads/main")
    assert refs.resolve(Tag("latest")) == Ref(A, "HEAD")


def test_a_server_without_a_default_branch_says_so() -> None:
    with pytest.raises(ManifestUnknown, match="no default branch"):
        listed(f"{B}\trefs/heads/latest", f"{B}\trefs/heads/x/latest").resolve(Tag("latest"))


def test_a_branch_comes_before_a_tag_of_its_name() -> None:
    refs = listed(f"{A}\trefs/tags/v1", f"{B}\trefs/heads/v1")
    assert refs.resolve(Tag("v1")) == Ref(B, "refs/heads/v1")


def test_an_annotated_tag_is_its_commit() -> None:
    refs = listed(f"{A}\trefs/tags/v1", f"{B}\trefs/tags/v1^{{}}", f"{C}\trefs/tags/v2")
    assert refs.resolve(Tag("v1")) == Ref(B, "refs/tags/v1")


def test_dashes_stand_for_slashes() -> None:
    refs = listed(f"{A}\trefs/heads/feature/a--b/c", f"{B}\trefs/tags/release/1.0")
    assert refs.resolve(Tag("feature--a--b--c")) == Ref(A, "refs/heads/feature/a--b/c")
    assert refs.resolve(Tag("release--1.0")) == Ref(B, "refs/tags/release/1.0")


def test_a_literal_name_comes_before_one_with_slashes() -> None:
    refs = listed(f"{A}\trefs/heads/a/b", f"{B}\trefs/tags/a--b")
    assert refs.resolve(Tag("a--b")) == Ref(B, "refs/tags/a--b")


def test_what_could_be_two_names_is_refused_and_both_are_said() -> None:
    refs = listed(f"{A}\trefs/heads/a/b--c", f"{B}\trefs/heads/a--b/c")
    with pytest.raises(ManifestUnknown, match=re.escape("could mean a--b/c or a/b--c")):
        refs.resolve(Tag("a--b--c"))


def test_a_branch_and_a_tag_of_one_name_with_slashes_are_no_ambiguity() -> None:
    refs = listed(f"{A}\trefs/tags/a/b", f"{B}\trefs/heads/a/b")
    assert refs.resolve(Tag("a--b")) == Ref(B, "refs/heads/a/b")


def test_an_unknown_ref_names_up_to_three_that_are_near_as_tags() -> None:
    names = ["main", "nixos/24.05", "nixos/24.11", "nixos/23.05", "nixos/25.05"]
    refs = listed(f"{A}\tHEAD", *(f"{A}\trefs/heads/{name}" for name in names))
    with pytest.raises(
        ManifestUnknown, match="no branch or tag 'nixos-24.05'; did you mean nixos--24.05 or "
    ) as caught:
        refs.resolve(Tag("nixos-24.05"))
    assert caught.value.message.count("nixos--") == 3
    with pytest.raises(ManifestUnknown, match="'zzz'$"):
        refs.resolve(Tag("zzz"))


@pytest.mark.parametrize(
    "line",
    [
        *("", A, f"{A} refs/heads/x", f"{A[:-1]}\trefs/heads/x", f"{A}\trefs/pull/1/head", f"{A}\trefs/heads/-x"),
        *(f"{A}\trefs/heads/ü", f"{A}\trefs/heads/x;y", "ref: refs/heads/x\tHEAD", f"{A}\trefs/heads/$(x)"),
    ],
)
def test_what_no_tag_can_name_is_passed_over(line: str) -> None:
    assert listed(line).commits == {}


def test_refs_are_kept_within_a_bound() -> None:
    lines = [f"{A}\trefs/heads/{number}" for number in range(101)]
    assert len(listed(*lines[:100]).commits) == 100
    with pytest.raises(SourceUnavailable, match="more than 100 branches"):
        listed(*lines)


def test_a_commit_is_a_full_id_in_either_case() -> None:
    assert commit_id(Tag("ABCDEF1234" * 4)) == "abcdef1234" * 4
    assert [commit_id(Tag(text)) for text in ("a" * 39, "a" * 41, "g" * 40, "main")] == [None] * 4


@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True))
def test_whatever_the_tag_only_a_name_that_the_server_has_comes_out(text: str) -> None:
    refs = listed(f"{A}\tHEAD", f"{A}\trefs/heads/main", f"{B}\trefs/heads/a/b", f"{C}\trefs/tags/v1")
    try:
        name = refs.resolve(Tag(text)).name
    except ManifestUnknown:
        assert text not in ("latest", "main", "a--b", "v1")
    else:
        assert name in refs.commits


def test_what_tags_can_name_is_listed_as_they_write_it() -> None:
    names = ("HEAD", "refs/heads/main", "refs/heads/a/b", "refs/tags/v1", "refs/heads/x/y--z", "refs/heads/x--y/z")
    long = "refs/heads/" + "l" * 129
    refs = Refs(dict.fromkeys((*names, long), "c" * 40))
    assert refs.tags() == {"latest", "main", "a--b", "v1"}, "what is ambiguous, or too long, no tag can name"
    assert all(refs.resolve(Tag(text)) for text in refs.tags())
    assert Refs({}).tags() == frozenset()

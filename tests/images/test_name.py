"""Repository names, tags and digests as clients write them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nixery.errors import DigestInvalid, NameInvalid, TagInvalid
from nixery.images.digest import Digest
from nixery.images.name import ImageName, Platform, Tag, parse_components, parse_reference

components = st.from_regex(r"[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,2}", fullmatch=True)


def test_a_name_asks_for_its_packages_and_what_every_image_has() -> None:
    name = ImageName.parse("git/htop")
    assert name.packages == ("cacert", "git", "htop", "iana-etc")
    assert name.platform is None
    assert not name.shell


def test_shell_and_platform_come_first_in_any_order() -> None:
    for text in ("shell/arm64/git", "arm64/shell/git"):
        name = ImageName.parse(text)
        assert name.shell
        assert name.platform is Platform.ARM64
        assert {"bashInteractive", "coreutils", "moreutils", "nano", "git"} < set(name.packages)


def test_a_meta_package_after_a_package_is_a_package() -> None:
    name = ImageName.parse("git/shell")
    assert not name.shell
    assert "shell" in name.packages


@pytest.mark.parametrize("text", ["shell", "arm64", "shell/amd64"])
def test_meta_packages_alone_are_an_image(text: str) -> None:
    assert "cacert" in ImageName.parse(text).packages


def test_two_platforms_are_refused() -> None:
    with pytest.raises(NameInvalid, match="one platform"):
        ImageName.parse("arm64/amd64/hello")
    assert ImageName.parse("arm64/arm64/hello").platform is Platform.ARM64


@given(st.lists(components, min_size=1, max_size=5).filter(lambda some: not {"shell", "amd64", "arm64"} & set(some)))
def test_any_order_and_repetition_of_the_packages_is_the_same_image(some: list[str]) -> None:
    assert ImageName.parse("/".join(some)).packages == ImageName.parse("/".join([*reversed(some), some[0]])).packages


@given(st.text())
@example("a" * 300)
@example("../etc/passwd")
@example("a//b")
@example("git\n")
@example("gi\u0131t")
@example("\u0661")
@example("a" * 120 + "-" * 134)
def test_hostile_text_is_a_name_or_raises_name_invalid(text: str) -> None:
    try:
        found = parse_components(text)
    except NameInvalid:
        return
    assert "/".join(found) == text
    assert text.isascii()
    assert not set(found) & {"", ".", ".."}


@pytest.mark.parametrize(
    "text", ["", "/", "git/", "/git", "Git", "g++", "a..b", "a___b", "-a", "a-", "a b", "a%2fb", "git\n"]
)
def test_what_the_grammar_has_no_place_for_is_refused(text: str) -> None:
    with pytest.raises(NameInvalid):
        ImageName.parse(text)


@pytest.mark.parametrize("text", ["python3.11", "a__b", "a--b", "python3-numpy", "0x", "a" * 255])
def test_what_the_grammar_allows_is_taken(text: str) -> None:
    assert text in ImageName.parse(text).packages


def test_256_characters_are_too_many() -> None:
    with pytest.raises(NameInvalid, match="256 characters"):
        ImageName.parse("a" * 256)


@pytest.mark.parametrize("text", ["latest", "_x", "v1.2-3", "A" * 128])
def test_a_tag_is_a_tag(text: str) -> None:
    assert parse_reference(text) == Tag(text)


@pytest.mark.parametrize("text", ["", ".x", "-x", "a/b", "a" * 129, "a b", "latest\n", "\u0661"])
def test_a_malformed_tag_is_refused(text: str) -> None:
    with pytest.raises(TagInvalid):
        parse_reference(text)


def test_a_reference_with_a_colon_is_a_digest() -> None:
    assert parse_reference(f"sha256:{'a' * 64}") == Digest("a" * 64)
    with pytest.raises(DigestInvalid):
        parse_reference("sha256:abc")

"""Recipes and their keys."""

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.name import ImageName, Platform
from nixery.images.recipe import Recipe, single

words = st.text(max_size=6)
tuples = st.lists(words, max_size=3).map(tuple)
recipes = st.builds(
    Recipe,
    kind=words,
    pin=words,
    expressions=words,
    packages=tuples,
    platform=st.sampled_from(Platform),
    command=tuples,
    popularity=words,
    limit=st.integers(1, 125),
    layout=words,
    encoder=words,
    home=st.none() | words,
)
HELLO = Recipe("git", "1" * 40, "e", ("cacert", "hello"), Platform.AMD64, (), "graph", 94, "1", "abc")


@given(recipes, recipes)
def test_recipes_have_the_same_key_only_when_they_are_equal(one: Recipe, other: Recipe) -> None:
    assert (one.key() == other.key()) == (one == other)


@given(recipes)
def test_a_recipe_survives_its_encoding(recipe: Recipe) -> None:
    assert Recipe.decode(recipe.encode()) == recipe


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "channel"},
        {"pin": "2" * 40},
        {"expressions": "f"},
        {"packages": ("cacerthello",)},
        {"packages": ("cacert/hello",)},
        {"packages": ("hello", "cacert")},
        {"platform": Platform.ARM64},
        {"command": ("bash",)},
        {"popularity": "0"},
        {"limit": 93},
        {"layout": "2"},
        {"encoder": "abd"},
        {"home": "https://example.org/set"},
        {"home": ""},
    ],
)
def test_each_part_of_a_recipe_changes_its_key(change: dict[str, Any]) -> None:
    assert evolve(HELLO, **change).key() != HELLO.key()


def test_fault_9_an_image_for_arm64_is_not_the_one_for_amd64() -> None:
    def key(text: str) -> str:
        name = ImageName.parse(text)
        return evolve(HELLO, packages=name.packages, platform=name.platform or Platform.AMD64).key()

    assert key("arm64/hello") != key("hello")
    assert key("amd64/hello") == key("hello")


def test_fault_9_names_that_are_alike_when_joined_have_keys_of_their_own() -> None:
    assert evolve(HELLO, packages=("ab", "c")).key() != evolve(HELLO, packages=("a", "bc")).key()


def test_a_key_does_not_drift() -> None:
    assert HELLO.key() == "cb43ff1fbb94459086bbf296e2233397cfe52f442dfd5f8aa45b2172e6358e32"


def test_what_is_not_a_recipe_is_refused() -> None:
    good = json.loads(HELLO.encode())
    bad: list[object] = [None, [], 3, {}, {**good, "version": 1}, {**good, "pin": 3}, {**good, "limit": "94"}]
    bad += [{**good, "packages": "ab"}, {**good, "packages": [1]}, {**good, "platform": "vax"}, {**good, "more": 1}]
    for value in bad:
        with pytest.raises(ValueError, match=r".+"):
            Recipe.decode(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())
    with pytest.raises(ValueError, match="canonical"):
        Recipe.decode(HELLO.encode() + b" ")


@given(st.binary())
def test_hostile_bytes_raise_nothing_but_value_errors(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Recipe.decode(data)


def test_text_that_utf_8_cannot_carry_has_no_key() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        evolve(HELLO, pin="\ud83d\ude00").key()


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("hello", "hello"),
        ("hello/cacert", "hello"),
        ("arm64/hello", "hello"),
        ("a/b", None),
        ("cacert", None),
        ("shell", None),
        ("shell/hello", None),
    ],
)
def test_a_package_is_single_beside_what_is_in_every_image(name: str, package: str | None) -> None:
    assert single(ImageName.parse(name).packages) == package

import pytest

from nixery.nix.refusal import Refusal, described, did_you_mean, why


def test_a_refusal_reads_well() -> None:
    assert str(Refusal("x", "throws", "sorry")) == "x cannot be evaluated: sorry"
    assert str(Refusal("x", "another reason")) == "x another reason"


@pytest.mark.parametrize(
    ("reason", "variable", "option"),
    [
        ("unfree", "NIXPKGS_ALLOW_UNFREE=1", "config.allowUnfree "),
        ("broken", "NIXPKGS_ALLOW_BROKEN=1", "config.allowBroken "),
        ("insecure", "NIXPKGS_ALLOW_INSECURE=1", "config.permittedInsecurePackages "),
        ("unsupported", "NIXPKGS_ALLOW_UNSUPPORTED_SYSTEM=1", "config.allowUnsupportedSystem "),
    ],
)
def test_what_a_set_does_not_allow_comes_with_what_would_allow_it(reason: str, variable: str, option: str) -> None:
    for refusal in (Refusal("x", reason), Refusal("x", reason, "because")):
        assert variable in str(refusal)
        assert option in str(refusal)


@pytest.mark.parametrize(
    ("within", "word", "near", "words"),
    [
        ("", "hallo", ["hallow", "hello", "zzz"], "did you mean hallow or hello"),
        ("", "hallo", ["zzz"], ""),
        ("", "bashinteractiv", ["bashInteractive"], "did you mean bashinteractive"),
        ("", "c", ["c+", "C"], "did you mean c"),
        ("", "7zp", ["_7zip"], "did you mean 7zip"),
        ("pythonPackages", "reqests", ["requests"], "did you mean pythonpackages.requests"),
        ("pythonPackages", "reqests", [], "there is no reqests in pythonPackages"),
        ("", "quote", ["quote'"], ""),
    ],
)
def test_a_guess_is_written_as_an_image_name_would_be(within: str, word: str, near: list[str], words: str) -> None:
    assert did_you_mean(within, word, near) == words


@pytest.mark.parametrize(
    ("kind", "members", "size", "words"),
    [
        ("function", None, None, "it is a Nix function"),
        ("set", [], 0, "it is a set of 0 attributes"),
        ("set", ["callPackage", "a", "B+", "a b", "c", "d"], 99, "such as x.a or x.bplus or x.c"),
        ("set", ["a b"], 1, "it is a set of 1 attribute"),
    ],
)
def test_an_attribute_that_is_no_package_is_described(kind: str, members: object, size: object, words: str) -> None:
    assert described("X", kind, members, size).endswith(words)


def test_reasons_are_cut_to_what_a_person_reads() -> None:
    assert why(["a\n b"]) == "a b"
    assert why(["a", "b", "c", "d", "e"]) == "a; b; c and 2 more"
    assert len(why(["x" * 10_000])) == 200


def test_reasons_steer_no_terminal() -> None:
    assert why(["\x1b[31mfree\x9b\u202e\0"]) == "[31mfree"

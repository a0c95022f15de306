"""image.nix, on the real Nix, over a set with the quirks of sets in nixpkgs' shape."""

from pathlib import Path

import pytest

from nixery.nix.refusal import Refusal
from nixery.nix.report import Package, looked_at
from tests.nix.evaluation import SYSTEM, image, package, verdicts

pytestmark = pytest.mark.integration

NO_PACKAGE = "is an attribute of the package set, but not a package"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("old", "old cannot be evaluated"),
        ("asserts", "asserts cannot be evaluated"),
        ("late", "late cannot be evaluated"),
        (
            "pythonpackages",
            f"{NO_PACKAGE}: it is a set of 4 attributes; ask for one of them, such as pythonpackages.requests or",
        ),
        ("nested", f"{NO_PACKAGE}: it is a set of 1 attribute; ask for one of them, such as nested.below"),
        ("empty", f"{NO_PACKAGE}: it is a set of 0 attributes"),
        ("callpackage", f"callpackage {NO_PACKAGE}: it is a Nix function"),
        ("functor", f"{NO_PACKAGE}: it is a Nix function"),
        ("text", f"{NO_PACKAGE}: it is a Nix string"),
        ("list", f"{NO_PACKAGE}: it is a Nix list"),
        ("nothing", f"{NO_PACKAGE}: it is a Nix null"),
        ("half", f"{NO_PACKAGE}: it is a set"),
        ("odd", f"{NO_PACKAGE}: it is a set"),
        ("unfree", "unfree has an unfree licence, which the package set does not allow: unfree (in nixpkgs, NIXPKGS_"),
        ("broken", "broken is marked as broken by the package set (in nixpkgs, NIXPKGS_ALLOW_BROKEN=1 in"),
        ("insecure", "the package set: CVE-1: a hole; CVE-2; CVE-3 and 1 more (in nixpkgs, NIXPKGS_ALLOW_INSECURE=1"),
        ("unsupported", "is not available for this platform (in nixpkgs, NIXPKGS_ALLOW_UNSUPPORTED_SYSTEM=1 in"),
        ("helo", "helo is not in the package set: did you mean hello"),
        ("pythonpackages.reqests", "set: did you mean pythonpackages.requests"),
        ("nested.below.pakage", "set: did you mean nested.below.package"),
        ("pythonpackages.zzz", "set: there is no zzz in pythonPackages"),
        ("odd.zzz", "set: there is no zzz in odd"),
        ("underivable", "underivable cannot be evaluated"),
        ("elsewhere", f"{NO_PACKAGE}: it is a Nix derivation whose path is not in the store"),
        ("escaping", f"{NO_PACKAGE}: it is a Nix derivation whose path is not in the store"),
        ("underived", f"{NO_PACKAGE}: it is a Nix derivation whose path is not in the store"),
        ("numbered", f"{NO_PACKAGE}: it is a Nix derivation whose path is not in the store"),
        ("longnames", f"{NO_PACKAGE}: it is a set of 1 attribute; ask for one of them, such as longnames.short"),
        ("vulnerable", "vulnerable is marked as insecure by the package set (in nixpkgs"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_says_why(name: str, words: str) -> None:
    [verdict] = verdicts([name])
    assert isinstance(verdict, Refusal)
    assert words in str(verdict)


@pytest.mark.parametrize("name", ["hello.zzz", "text.zzz", "zzz", "same." * 8 + "hello"])
def test_nothing_is_said_of_what_nothing_is_known_of(name: str) -> None:
    [verdict] = verdicts([name])
    assert str(verdict) == f"{name} is not in the package set"


@pytest.mark.parametrize(
    ("name", "words"),
    [("old", "has been renamed to"), ("late", "no path for you"), ("underivable", "no derivation for you")],
)
def test_what_a_package_throws_can_be_asked_for(name: str, words: str) -> None:
    assert words in image([name], force=name)[1]


@pytest.mark.parametrize(
    ("name", "attribute", "outputs"),
    [
        ("alias", "alias", ["hello"]),
        ("pythonpackages.requests", "pythonPackages.Requests", ["requests"]),
        ("pythonpackages.six", "pythonPackages.six", ["six"]),
        ("nested.below.package", "nested.below.package", ["below"]),
        ("several", "several", ["several-man", "several-bin"]),
        ("first", "first", ["first-bin"]),
        ("strangeoutputs", "strangeOutputs", ["strange-man"]),
        ("notlisted", "notListed", ["listed"]),
        ("thrownoutputs", "thrownOutputs", ["thrown"]),
        ("textmeta", "textMeta", ["text-meta"]),
        ("7zip", "_7zip", ["7zip"]),
        ("cplusplusfilt", "c++filt", ["filt"]),
        ("import", "import", ["import"]),
        ("builtins.abort", "builtins.abort", ["abort"]),
        ("true", "true", ["true"]),
        ("same." * 7 + "hello", "same." * 7 + "hello", ["hello"]),
        ("with space", "with space", ["space"]),
        ('quote"d', 'quote"d', ["quoted"]),
        ("${hello}", "${hello}", ["dollar"]),
    ],
)
def test_what_can_be_had_is_what_was_meant(name: str, attribute: str, outputs: list[str]) -> None:
    found = package(name)
    assert found.attribute == attribute
    assert [str(output).partition("-")[2] for output in found.outputs] == outputs


def test_meta_is_taken_where_it_is_what_it_should_be() -> None:
    thrown, strange = verdicts(["thrownmeta", "strangemeta"])
    assert isinstance(thrown, Package)
    assert isinstance(strange, Package)
    assert (thrown.version, thrown.main_program, thrown.licences) == (None, None, ())
    assert (strange.version, strange.main_program, strange.licences) == ("1", None, ("LicenseRef-A", "B"))


def test_meta_that_would_make_an_endless_report_is_cut() -> None:
    found = package("lengthy")
    assert (found.version, found.main_program) == (None, None)
    assert found.licences == tuple(f"LicenseRef-L{n}" for n in range(50))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("aborts", "sorry, no more"),
        ("recurses", "infinite recursion"),
        ("deep", "stack overflow|max-call-depth"),
        ("mistyped", "string"),
    ],
)
def test_an_error_that_cannot_be_caught_is_blamed_on_its_package(name: str, words: str) -> None:
    report, stderr = image(["hello", name])
    assert looked_at(report) == name
    assert any(word in stderr for word in words.split("|"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('throw "broken tonight"', "broken tonight"),
        ("{ syntax error }", "syntax error"),
        ("[ ]", "it is a list, and no set of packages"),
        ("{ system }: { more }: { }", "it is a lambda, and no set of packages"),
    ],
)
def test_a_set_that_is_none_is_blamed_on_no_package(tmp_path: Path, content: str, words: str) -> None:
    source = tmp_path / "default.nix"
    source.write_text(content)
    report, stderr = image(["hello"], source)
    assert report == ""
    assert words in stderr


def test_another_platform_is_built_as_the_set_does_unless_a_host_is_to_cross_build() -> None:
    arm = "aarch64-linux"
    native, crossed = package("hello", system=arm), package("hello", system=arm, host=SYSTEM)
    assert str(native.outputs[0]).endswith("-hello")
    assert native != package("hello")
    assert str(crossed.outputs[0]).endswith("-hello-crossed-on-x86_64-linux")
    assert package("hello", host=SYSTEM) == package("hello")


@pytest.mark.parametrize("cross", ["", "pkgsCross = { };"])
def test_a_set_that_does_not_cross_build_is_asked_for_the_platform_itself(tmp_path: Path, cross: str) -> None:
    source = tmp_path / "default.nix"
    source.write_text(
        f'{{ system }}: {{ {cross} hello = derivation {{ name = "h"; builder = "b"; inherit system; }} // {{'
        " version = system; }; }"
    )
    assert package("hello", source, system="aarch64-linux", host=SYSTEM).version == "aarch64-linux"

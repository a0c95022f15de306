"""images.nix, on the real Nix: images that a package set describes itself."""

from pathlib import Path

import pytest

from nixery.images.config import ImageConfig
from nixery.nix.refusal import Refusal
from nixery.nix.report import Described, Package, looked_at
from tests.nix.evaluation import image, reported

pytestmark = pytest.mark.integration

SET = """{{ system, ... }}:
let
  package = name: derivation {{ inherit name system; builder = "b"; }};
in
rec {{
  cacert = package "cacert";
  hello = package "hello" // {{ version = "1"; }};
  nope = throw "not for you";
  nixery{images};
}}
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "default.nix"


def report(source: Path, images: str, name: str = "app") -> tuple[tuple[Package | Refusal, ...], Described | None]:
    source.write_text(SET.format(images=images))
    told = reported([name, "cacert"], source, image=name)
    return told.verdicts, told.image


def names(source: Path, images: str, name: str = "app") -> list[str]:
    verdicts, _ = report(source, images, name)
    assert all(isinstance(verdict, Package) for verdict in verdicts), verdicts
    return [verdict.name for verdict in verdicts]


def refusal(source: Path, images: str) -> str:
    verdicts, _ = report(source, images)
    refused = [verdict for verdict in verdicts if isinstance(verdict, Refusal)]
    return str(refused[0])


def test_an_image_has_its_packages_by_name_and_by_value_and_its_config(source: Path) -> None:
    images = '.images.app = { packages = [ "HELLO" hello ]; config = { Cmd = [ "${hello}/bin/x" ]; User = "me"; }; }'
    verdicts, described = report(source, images)
    one, other, cacert = verdicts
    assert isinstance(one, Package)
    assert isinstance(other, Package)
    assert (one.name, other.name, cacert.name) == ("HELLO", "nixery.images.app.packages[1]", "cacert")
    assert one.outputs == other.outputs
    config = ImageConfig(command=(f"{one.outputs[0]}/bin/x",), user="me")
    assert described == Described("app", config)


@pytest.mark.parametrize("images", [".images.app = { }", ".images.app.packages = [ ]", ".images.app.config = { }"])
def test_what_an_image_does_not_say_is_empty(source: Path, images: str) -> None:
    verdicts, described = report(source, images)
    assert [verdict.name for verdict in verdicts] == ["cacert"]
    assert described == Described("app", ImageConfig())


@pytest.mark.parametrize(
    "images",
    [".images.other = { }", ".images = { }", ".images = hello", ' = "text"', " = hello", ' = throw "gone"', ' = x: x'],
)  # fmt: skip
def test_what_is_no_image_is_a_package(source: Path, images: str) -> None:
    assert names(source, images, "hello") == ["hello", "cacert"]
    assert report(source, images, "hello")[1] is None


def test_an_image_comes_before_a_package_of_its_name_and_may_have_it(source: Path) -> None:
    assert names(source, '.images.hello.packages = [ "hello" ]', "hello") == ["hello", "cacert"]
    assert report(source, '.images.hello.packages = [ "hello" ]', "hello")[1] == Described("hello", ImageConfig())


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (".images.app = 3", "app is an image that the package set describes wrongly: nixery.images.app is a Nix int"),
        (".images.app.package = [ ]", "nixery.images.app has package, and may have packages and config only"),
        ('.images.app.packages = "hello"', "nixery.images.app.packages is a Nix string, and no list"),
        ('.images.app.packages = [ "helo" ]', "helo is not in the package set: did you mean hello"),
        (".images.app.packages = [ 3 ]", "nixery.images.app.packages[0] is an attribute of the package set, but not"),
        ('.images.app.packages = [ "a b" ]', "nixery.images.app.packages[0] is an attribute of the package set, but"),
        (".images.app.packages = [ hello nope ]", "nixery.images.app.packages[1] cannot be evaluated"),
        ('.images.app.packages = [ "nope" ]', "nope cannot be evaluated"),
        (".images.app.packages = nope", "app cannot be evaluated"),
        (".images.app.config.Env = [ nope ]", "app cannot be evaluated"),
        (".images.app = nope", "app cannot be evaluated"),
        (".images = nope", "app cannot be evaluated"),
        (".images.app.config = x: x", "describes wrongly: nixery.images.app.config has to be a set"),
        (".images.app.config.Cmd = [ hello ]", "nixery.images.app.config.Cmd has to be a list of strings"),
        (".images.app.config.Labels.x = { y = { z = { }; }; }", "nixery.images.app.config.Labels has to be a set of"),
        (".images.app.config.Labels = hello", "nixery.images.app.config.Labels has to be a set of strings"),
        ('.images.app.config.Env = [ "A=\\t" ]', "nixery.images.app.config.Env has a control character in 'A=\\t'"),
        (".images.app.config.User = 1.5", "nixery.images.app.config.User has to be a string"),
        ('.images.app.config.User.__toString = self: "x"', "nixery.images.app.config.User has to be a string"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(source: Path, images: str, words: str) -> None:
    assert words in refusal(source, images)


@pytest.mark.parametrize(
    ("images", "force"),
    [
        (".images = nope", "app"),
        (".images.app = nope", "app"),
        (".images.app.config.Env = [ nope ]", "app"),
        ('.images.app.packages = [ "nope" ]', "nope"),
        (".images.app.packages = [ hello nope ]", "nixery.images.app.packages[1]"),
    ],
)
def test_what_it_throws_can_be_asked_for(source: Path, images: str, force: str) -> None:
    source.write_text(SET.format(images=images))
    assert "not for you" in image(["app", "cacert"], source, image="app", force=force)[1]


def test_an_error_that_cannot_be_caught_is_blamed_on_the_image(source: Path) -> None:
    source.write_text(SET.format(images=".images.app.config.User = 1 + [ ]"))
    assert looked_at(image(["app", "cacert"], source, image="app")[0]) == "app"


def test_a_set_that_is_none_is_blamed_on_no_image(source: Path) -> None:
    source.write_text("{ syntax error }")
    report, stderr = image(["app", "cacert"], source, image="app")
    assert report == ""
    assert "syntax error" in stderr

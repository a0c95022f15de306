import json

import pytest

from nixery.images.config import ImageConfig
from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.nix.refusal import Refusal
from nixery.nix.report import Described, Package, looked_at, parse_report

HELLO = {
    "name": "hello",
    "attribute": "hello",
    "reason": None,
    "outputs": ["/nix/store/5zibwfps970nxj5vddcj2v7gqj8xqpbw-hello"],
    "meta": {"version": "1", "mainProgram": None, "licences": ["MIT"]},
}


def report(*packages: object, version: int = 2, **more: object) -> str:
    return json.dumps({"version": version, "packages": packages, **more})


def test_verdicts_come_in_order() -> None:
    unknown = {"name": "nope", "attribute": None, "reason": "unknown"}
    path = StorePath("/nix/store/5zibwfps970nxj5vddcj2v7gqj8xqpbw-hello")
    assert parse_report(report(unknown, HELLO)).verdicts == (
        Refusal("nope", "unknown"),
        Package("hello", "hello", (path,), "1", None, ("MIT",)),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        report(version=1),
        report({"name": 1}),
        report(image=None),
        report(image={"name": "app"}),
        report(HELLO | {"outputs": ["/etc/passwd"]}),
        report(HELLO | {"meta": {}}),
        report(HELLO | {"meta": None}),
    ],
)
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="report|verdict|store path|Expecting"):
        parse_report(text)


def test_an_image_that_the_set_describes_has_its_config() -> None:
    told = parse_report(report(HELLO, image={"name": "app", "config": {"User": "me"}}))
    assert told.image == Described("app", ImageConfig(user="me"))
    assert len(told.verdicts) == 1


def test_a_wrong_config_is_a_refusal_that_names_it() -> None:
    told = parse_report(report(HELLO, image={"name": "app", "config": {"User": 3}}))
    words = "app is an image that the package set describes wrongly: nixery.images.app.config.User has to be a string"
    assert (str(told.verdicts[0]), told.image) == (words, None)


def test_a_config_may_name_store_paths_of_its_closure_only() -> None:
    path = StorePath("/nix/store/5zibwfps970nxj5vddcj2v7gqj8xqpbw-hello")
    described = Described("app", ImageConfig(command=(f"{path}/bin/hello",)))
    other = PathInfo(StorePath(f"/nix/store/{'a' * 32}-other"), "0" * 64, 1, ())
    assert described.refused(Closure.of([other, PathInfo(path, "0" * 64, 1, ())])) is None
    refusal = described.refused(Closure.of([other]))
    assert f"nixery.images.app.config names {path}, which is in none of its packages" in str(refusal)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"reason": "throws"}, "x cannot be evaluated"),
        ({"reason": "unfree", "why": ["unfree"]}, "which the package set does not allow: unfree ("),
        ({"reason": "not-a-derivation", "attribute": "x", "kind": "string"}, "not a package: it is a Nix string"),
        (
            {"reason": "not-a-derivation", "attribute": "X", "kind": "set", "members": ["a", "b"], "size": 7},
            "it is a set of 7 attributes; ask for one of them, such as x.a or x.b",
        ),
        ({"reason": "unknown", "within": "", "word": "hallo", "near": ["hello"]}, "set: did you mean hello"),
    ],
)  # fmt: skip
def test_a_refusal_has_what_the_report_knows(entry: dict[str, object], words: str) -> None:
    refusal = parse_report(report({"name": "x", "attribute": None, **entry})).verdicts[0]
    assert words in str(refusal)


@pytest.mark.parametrize(
    ("text", "name"),
    [('"hello"', "hello"), (report(HELLO), None), ("nonsense", None), (None, ""), ("[1]", None)],
)
def test_the_package_that_was_looked_at_last_is_known(text: str | None, name: str | None) -> None:
    assert looked_at(text) == name

import json

import pytest

from nixery.images.graph import StorePath
from nixery.nix.report import Package, Refusal, parse_report

HELLO = {
    "name": "hello",
    "attribute": "hello",
    "reason": None,
    "outputs": ["/nix/store/5zibwfps970nxj5vddcj2v7gqj8xqpbw-hello"],
    "meta": {"version": "1", "mainProgram": None, "licences": ["MIT"]},
}


def report(*packages: object, version: int = 1) -> str:
    return json.dumps({"version": version, "packages": packages})


def test_verdicts_come_in_order() -> None:
    unknown = {"name": "nope", "attribute": None, "reason": "unknown"}
    path = StorePath("/nix/store/5zibwfps970nxj5vddcj2v7gqj8xqpbw-hello")
    assert parse_report(report(unknown, HELLO)) == (
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
        report(version=2),
        report({"name": 1}),
        report(HELLO | {"outputs": ["/etc/passwd"]}),
        report(HELLO | {"meta": {}}),
        report(HELLO | {"meta": None}),
    ],
)
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="report|verdict|store path|Expecting"):
        parse_report(text)


def test_a_refusal_reads_well() -> None:
    assert str(Refusal("x", "unfree")) == "x has an unfree licence, which the package set does not allow (allowUnfree)"
    assert str(Refusal("x", "throws", "sorry")) == "x cannot be evaluated: sorry"
    assert str(Refusal("x", "another reason")) == "x another reason"


def test_an_unknown_package_comes_with_the_nearest_names() -> None:
    unknown = {"name": "hallo", "attribute": None, "reason": "unknown", "near": ["hallow", "hello", "zzz"]}
    refusal = parse_report(report(unknown))[0]
    assert str(refusal) == "hallo is not in the package set: did you mean hallow or hello"
    assert str(parse_report(report({**unknown, "near": ["zzz"]}))[0]) == "hallo is not in the package set"

"""docs/openapi.yaml says what the code does: its addresses, its grammars and its errors."""

import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery import errors
from nixery.errors import AlgorithmUnknown, ConfigError, DigestInvalid, NameInvalid, NixeryError, TagInvalid
from nixery.images.digest import Digest
from nixery.images.name import Tag, parse_components, parse_reference
from nixery.registry.routes import Registry
from tests.registry.openapi import DOCUMENT, operations

_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


def routed() -> dict[str, set[str] | None]:
    """The addresses that Klein knows, with their methods; None for any."""
    return {_ARGUMENT.sub(r"{\1}", rule.rule): rule.methods for rule in Registry.app.url_map.iter_rules()}


def described() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for operation in operations():
        found.setdefault(operation.path, set()).add(operation.method)
    return found


def test_every_address_is_described_and_every_described_one_is_there() -> None:
    assert sorted(described()) == sorted(routed())


@pytest.mark.parametrize(("path", "methods"), sorted(routed().items()))
def test_the_methods_of_an_address_are_those_described(path: str, methods: set[str] | None) -> None:
    assert methods in (None, described()[path])


def test_what_takes_any_method_is_described_as_refusing_them() -> None:
    any = {path for path, methods in routed().items() if methods is None}
    assert all(set(operation.answers) == {405} for operation in operations() if operation.path in any)


def test_the_arguments_of_a_path_are_described() -> None:
    for operation in operations():
        assert re.findall(r"{(\w+)}", operation.path) == [parameter.name for parameter in operation.at("path")]


def pattern(name: str) -> str:
    said: str = DOCUMENT["components"]["parameters"][name]["schema"]["pattern"]
    return said


def of(name: str) -> st.SearchStrategy[str]:
    return st.from_regex(re.compile(pattern(name), re.ASCII), fullmatch=True)


@given(of("name").filter(lambda text: len(text) <= 255))
def test_the_names_described_are_taken(name: str) -> None:
    assert "/".join(parse_components(name)) == name


def taken(parse: Callable[[str], Tag | Digest], text: str) -> str:
    """What a text was read as. All that is to be had of a digest that is not sha256 is the error that says so."""
    try:
        read = parse(text)
    except AlgorithmUnknown:
        return "" if text.startswith("sha256:") else text
    return read.text if isinstance(read, Tag) else str(read)


@given(of("reference"))
def test_the_references_described_are_taken(reference: str) -> None:
    assert taken(parse_reference, reference) == reference


@given(of("digest"))
def test_the_digests_described_are_taken(digest: str) -> None:
    assert taken(Digest.parse, digest) == digest


@given(st.text("aA0._-/", max_size=9))
def test_no_other_names_are_taken(name: str) -> None:
    if re.fullmatch(pattern("name"), name) is None:
        with pytest.raises(NameInvalid):
            parse_components(name)


@given(st.text("aA0._-:", max_size=9) | st.just("a" * 129))
def test_no_other_references_are_taken(reference: str) -> None:
    if re.fullmatch(pattern("reference"), reference) is None:
        with pytest.raises((TagInvalid, DigestInvalid)) as raised:
            parse_reference(reference)
        assert raised.type is not AlgorithmUnknown


def classes() -> Iterator[type[NixeryError]]:
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, NixeryError) and value is not ConfigError:
            yield value


def test_every_error_has_its_code_and_status_described() -> None:
    assert {error.code for error in classes()} == set(DOCUMENT["components"]["schemas"]["Code"]["enum"])
    statuses = {status for operation in operations() for status in operation.answers}
    assert {error.status for error in classes()} <= statuses

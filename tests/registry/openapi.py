"""The description of the API in docs/openapi.yaml, as the tests go by it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from attrs import field, frozen

_FILE = Path(__file__).parent.parent.parent / "docs/openapi.yaml"
_METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")

Node = Mapping[str, Any]


@frozen
class Parameter:
    """Something that a client fills in. `pattern`: what a well-formed text matches; None for any text."""

    name: str
    place: str
    pattern: str | None
    examples: tuple[str, ...]


@frozen
class Answer:
    """What comes with one status: the headers that are never left out, what each matches, and the media types."""

    required: frozenset[str]
    headers: Mapping[str, Node]
    content: frozenset[str]

    @classmethod
    def of(cls, node: Node) -> Self:
        """An answer from its part of the document."""
        headers = {name: _resolved(header) for name, header in node.get("headers", {}).items()}
        required = frozenset(name for name, header in headers.items() if header.get("required"))
        return cls(
            required, {name: header["schema"] for name, header in headers.items()}, frozenset(node.get("content", ()))
        )


@frozen
class Operation:
    """One method of one address."""

    path: str
    method: str
    parameters: tuple[Parameter, ...] = field(repr=False)
    answers: Mapping[int, Answer] = field(repr=False)

    def at(self, place: str) -> tuple[Parameter, ...]:
        """The parameters in the path, the query or the headers."""
        return tuple(parameter for parameter in self.parameters if parameter.place == place)


def _document() -> Node:
    document: Node = yaml.safe_load(_FILE.read_text())
    return document


DOCUMENT = _document()


def operations() -> Iterator[Operation]:
    """All that the document offers."""
    for path, item in DOCUMENT["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(path, method.upper(), item, item[method])


def _operation(path: str, method: str, item: Node, node: Node) -> Operation:
    parameters = [_parameter(_resolved(one)) for one in (*item.get("parameters", ()), *node.get("parameters", ()))]
    answers = {int(status): Answer.of(_resolved(answer)) for status, answer in node["responses"].items()}
    return Operation(path, method, tuple(parameters), answers)


def _parameter(node: Node) -> Parameter:
    schema = node["schema"]
    return Parameter(node["name"], node["in"], schema.get("pattern"), tuple(schema.get("examples", ())))


def _resolved(node: Node) -> Node:
    """The node, or what it refers to; raises KeyError where that is missing."""
    if "$ref" not in node:
        return node
    found = DOCUMENT
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found

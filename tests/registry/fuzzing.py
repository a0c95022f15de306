"""Requests made of what docs/openapi.yaml describes: well-formed ones, nearly so, and neither."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from urllib.parse import quote

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.openapi import Operation, Parameter, operations

METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW"]

Known = Mapping[str, Sequence[str]]
"""By the name of a parameter: texts that lead somewhere."""


@frozen
class Asked:
    """One request. `tame`: that all its parts are well-formed, so that `operation` says what it is answered with."""

    operation: Operation
    method: str
    target: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes
    version: str
    tame: bool

    @property
    def wire(self) -> bytes:
        """As it travels."""
        lines = [f"{self.method} ".encode() + self.target + f" {self.version}".encode(), b"Host: r.test"]
        lines += [f"{name}: ".encode() + value for name, value in self.headers]
        return b"\r\n".join([*lines, b"", self.body])

    @property
    def stays(self) -> bool:
        """Whether the connection is to be there for another request."""
        return self.version == "HTTP/1.1" and ("Connection", b"close") not in self.headers


# What a field's value may be made of (RFC 9110, 5.5): what can be seen, spaces and tabs between it, and opaque bytes.
_FIELD = st.text(
    st.characters(codec="latin-1", min_codepoint=32, exclude_characters="\x7f") | st.just("\t"), max_size=30
).map(lambda text: text.strip().encode("latin-1"))
_SEGMENT = st.binary(min_size=1, max_size=30).map(lambda data: quote(data, safe=":<>{}$*;,=@!'()").encode())
_VERSIONS = ["HTTP/1.1"] * 4 + ["HTTP/1.0"]


def requests(known: Known, paths: str = "") -> st.SearchStrategy[Asked]:
    """Requests of all operations whose path has `paths` in it; `known` texts come as often as others."""
    return st.one_of([_of(one, _texts(one, known)) for one in operations() if paths in one.path])


Texts = Mapping[str, Sequence[bytes]]
"""By the name of a parameter: well-formed ones."""


@st.composite
def _of(draw: st.DrawFn, operation: Operation, texts: Texts) -> Asked:
    tame = draw(st.sampled_from([True, True, True, False]))

    def value(parameter: Parameter, wild: st.SearchStrategy[bytes]) -> bytes:
        some = st.sampled_from(texts[parameter.name])
        return draw(some if tame else some | wild)

    path = operation.path.encode()
    for one in operation.at("path"):
        path = path.replace(f"{{{one.name}}}".encode(), value(one, _SEGMENT))
    query = [(one.name, value(one, _SEGMENT)) for one in operation.at("query") if draw(st.booleans())]
    arguments = b"&".join(name.encode() + b"=" + text for name, text in query)
    headers = [(one.name, value(one, _FIELD)) for one in operation.at("header") if draw(st.booleans())]
    body = draw(st.sampled_from([b"", b"", b"", b"x" * 1000]))
    headers += draw(st.sampled_from([[], [("Connection", b"close")]]))
    headers += [("Content-Length", str(len(body)).encode())] if body else []
    method = operation.method if tame else draw(st.sampled_from(METHODS))
    target = path + (b"?" + arguments if query else b"")
    return Asked(operation, method, target, tuple(headers), body, draw(st.sampled_from(_VERSIONS)), tame)


def _texts(operation: Operation, known: Known) -> Texts:
    return {one.name: _well_formed(one, tuple(known.get(one.name, ()))) for one in operation.parameters}


@cache
def _well_formed(parameter: Parameter, known: Sequence[str]) -> Sequence[bytes]:
    """Some, made once, as making one by its pattern takes longer than a request. Half of them lead somewhere."""
    found: list[str] = []

    @settings(max_examples=30, database=None)
    @given(st.from_regex(re.compile(parameter.pattern or "", re.ASCII), fullmatch=True))
    def make(text: str) -> None:
        found.append(text[:255])

    examples = [*parameter.examples, *known]
    if parameter.pattern is not None:
        make()
    return [text.encode() for text in found + examples * (1 + len(found) // max(1, len(examples)))]

"""The head of an answer, and answers whose body is at hand."""

from collections.abc import Mapping

from twisted.web.iweb import IRequest

from nixery.images.digest import Digest
from nixery.registry import conditions
from nixery.registry.conditions import Span, has_it
from nixery.registry.headers import last, values

JSON = "application/json"

FOR_EVER = {"Cache-Control": "max-age=31536000, immutable"}
"""For what has its digest in its address (RFC 8246)."""

FOR_NOW = {"Cache-Control": "no-cache"}
"""For what may be otherwise the next time: a cache asks before it answers with what it has (RFC 9111, 5.2.2.4)."""

_MOST_WARNED = 1000
"""Characters of a warning, quoted at most twice as many: a registry's Warning headers have at most 4096 bytes."""


def begin(request: IRequest, status: int, length: int, headers: Mapping[str, str]) -> None:
    """Set the status and the headers of an answer whose body has `length` bytes; nothing is written yet."""
    _head(request, status, {"Content-Length": str(length), **headers})


def _head(request: IRequest, status: int, headers: Mapping[str, str]) -> None:
    request.setResponseCode(status)
    request.setHeader("Docker-Distribution-Api-Version", "registry/2.0")
    for name, value in headers.items():
        if name == "Vary":  # beside what CORS makes it vary by
            request.responseHeaders.addRawHeader(name, value)
        else:
            request.setHeader(name, value)


def whole(request: IRequest, body: bytes, headers: Mapping[str, str], status: int = 200) -> bytes:
    """Begin the answer; the body is for Klein to write, and for Twisted to leave out where HEAD was asked."""
    begin(request, status, len(body), headers)
    return body


def begin_part(request: IRequest, span: Span | None, size: int, headers: Mapping[str, str]) -> None:
    """Begin the answer with a part of a content of `size` bytes; None for all of it."""
    if span is None:
        begin(request, 200, size, headers)
    else:
        place = f"bytes {span.first}-{span.first + span.length - 1}/{size}"
        begin(request, 206, span.length, {**headers, "Content-Range": place})


def known(request: IRequest, digest: Digest) -> bool:
    """Whether the client says that it has the content already, and need not be sent it."""
    return has_it(values(request, "If-None-Match"), f'"{digest}"')


def unchanged(request: IRequest, headers: Mapping[str, str]) -> bytes:
    """Answer a client that has the content already."""
    _head(request, 304, headers)
    return b""


def part(request: IRequest, digest: Digest, size: int) -> Span | None:
    """The part of a content that is asked for, None for all of it; raises RangeInvalid."""
    if request.method != b"GET":  # RFC 9110, 14.2: defined for GET alone
        return None
    range, if_range = last(request, "Range"), last(request, "If-Range")
    return conditions.part(range, if_range, f'"{digest}"', size)


def identity(digest: Digest) -> dict[str, str]:
    """The headers that say what the content is, for caches and for clients that check it."""
    return {"Docker-Content-Digest": str(digest), "ETag": f'"{digest}"'}


def warning(words: str | None) -> dict[str, str]:
    """The header that has clients tell a person something (OCI distribution-spec 1.1, "Warnings"); none for None."""
    if words is None:
        return {}
    plain = "".join(c if " " <= c <= "~" else "?" for c in words[:_MOST_WARNED])
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    return {"Warning": f'299 - "{quoted}"'}

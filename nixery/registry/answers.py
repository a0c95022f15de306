"""The head of an answer, and answers whose body is at hand."""

from collections.abc import Mapping

from twisted.web.iweb import IRequest

from nixery.images.digest import Digest

JSON = "application/json"

_MOST_WARNED = 1000
"""Characters of a warning, quoted at most twice as many: a registry's Warning headers have at most 4096 bytes."""


def begin(request: IRequest, status: int, length: int, headers: Mapping[str, str]) -> None:
    """Set the status and the headers of an answer whose body has `length` bytes; nothing is written yet."""
    request.setResponseCode(status)
    request.setHeader("Docker-Distribution-Api-Version", "registry/2.0")
    request.setHeader("Content-Length", str(length))
    for name, value in headers.items():
        request.setHeader(name, value)


def whole(request: IRequest, body: bytes, headers: Mapping[str, str], status: int = 200) -> bytes:
    """Begin the answer; the body is for Klein to write, and for Twisted to leave out where HEAD was asked."""
    begin(request, status, len(body), headers)
    return body


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

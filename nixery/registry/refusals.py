"""From an error to the answer that a client gets: the one place where errors become HTTP.

Form of the body: OCI distribution-spec 1.1, "Error Codes".
"""

import json

from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from nixery.errors import ConfigError, NameInvalid, NameUnknown, NixeryError, RangeInvalid, Unsupported
from nixery.registry import answers

_log = Logger()

_MOST_PHRASE = 500
"""Characters of a reason phrase: proxies take heads of some 4 KB."""


def refuse(request: IRequest, failure: Failure) -> bytes:
    """Begin the answer for what went wrong, and return its body.

    What is not one of ours is logged with its traceback, and the client learns no more than that it happened.
    """
    error = _for_client(request, failure)
    headers = {"Content-Type": answers.JSON}
    if isinstance(error, Unsupported):
        headers["Allow"] = _allowed(failure.value)
    if isinstance(error, RangeInvalid):
        headers["Content-Range"] = f"bytes */{error.size}"
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    answer = answers.whole(request, body(error), headers, error.status)
    request.setResponseCode(error.status, phrase(error))
    return answer


def body(error: NixeryError) -> bytes:
    """The error as the registry's JSON."""
    entry = {"code": error.code, "message": printable(error.message), "detail": None}
    return json.dumps({"errors": [entry]}).encode()


def phrase(error: NixeryError) -> bytes:
    """The message as the status line's reason phrase (RFC 9112, 4), in printable ASCII.

    It is what skopeo, podman and Docker print of a 5xx answer, and containerd of any that is no 404: docs/clients.md.
    """
    words = " ".join(error.message.split())[:_MOST_PHRASE]
    return "".join(c if " " <= c <= "~" else "?" for c in words).encode("ascii")


def printable(text: str) -> str:
    r"""The text with whatever could steer a terminal as `\x1b` and the like; line ends and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def _for_client(request: IRequest, failure: Failure) -> NixeryError:
    error = failure.value
    if isinstance(error, NixeryError) and not isinstance(error, ConfigError):
        return error
    if isinstance(error, HTTPException):
        return _no_route(request, error)
    _log.failure("{method} {path} failed unexpectedly", failure, method=request.method, path=request.path)
    return NixeryError("the registry failed unexpectedly; its log says how")


def _no_route(request: IRequest, error: HTTPException) -> NixeryError:
    path = "/" + b"/".join(request.postpath or []).decode("utf-8", "backslashreplace")
    if isinstance(error, MethodNotAllowed):
        method = request.method.decode("ascii", "backslashreplace")
        return Unsupported(f"{method} is not offered: this registry makes images when they are pulled, and takes none")
    # Werkzeug means to redirect where slashes are doubled; that is an error here, as clients might follow.
    if "//" in path or (path.endswith("/") and path != "/"):
        return NameInvalid(f"{path[:300]!r} has an empty component")
    return NameUnknown(
        f"there is nothing at {path[:300]!r}: this registry offers /v2/<name>/manifests/<tag or digest> "
        "and /v2/<name>/blobs/<digest>"
    )


def _allowed(error: BaseException | None) -> str:
    """The methods for Allow; none, which RFC 9110 (10.2.1) lets an empty field say, where no method is offered."""
    methods = error.valid_methods if isinstance(error, MethodNotAllowed) else None
    return ", ".join(sorted(methods or ()))

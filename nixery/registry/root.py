"""The way in for every request: Klein and the pages get only paths that are well-formed text."""

import re
from urllib.parse import unquote_to_bytes

from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from nixery import __version__
from nixery.errors import NameInvalid, RequestInvalid
from nixery.registry.cors import Cors
from nixery.registry.headers import values
from nixery.registry.refusals import refuse

_PLAIN = re.compile(rb"[a-zA-Z0-9/._:-]+")
"""Nearly all paths: there is nothing in them to decode or to refuse."""


class Root(Resource):
    """Hands /v2 and what is below it to `registry`, and everything else to `pages`."""

    isLeaf = True

    def __init__(self, registry: IResource, pages: IResource, cors: Cors) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._registry = registry
        self._pages = pages
        self._cors = cors

    def render(self, request: Request) -> bytes | int:
        """See IResource."""
        request.setHeader("Server", f"nixery/{__version__}")
        try:
            _check_host(request)
            segments = parse_path(request.path)
        except (RequestInvalid, NameInvalid):
            request.write(refuse(request, Failure()))
            request.finish()
            return NOT_DONE_YET
        return self._api(request) if segments[0] == "v2" else _rendered(self._pages, request)

    def _api(self, request: Request) -> bytes | int:
        self._cors.allow(request)
        return NOT_DONE_YET if self._cors.preflight(request) else _rendered(self._registry, request)


def _rendered(place: IResource, request: Request) -> bytes | int:
    rendered: bytes | int = place.render(request)
    return rendered


def _check_host(request: Request) -> None:
    """Raises RequestInvalid for HTTP/1.1 without one Host (RFC 9112, 3.2); what it says plays no part."""
    hosts = values(request, "Host")
    if request.clientproto == b"HTTP/1.1" and len(hosts) != 1:
        raise RequestInvalid(f"a request of HTTP/1.1 has one Host header (RFC 9112, 3.2); this one has {len(hosts)}")


def parse_path(path: bytes) -> tuple[str, ...]:
    """The segments of a request's path after its first slash, percent-decoded.

    Raises NameInvalid where it is no path, or where a segment holds something that no address here holds: what is not
    UTF-8, cannot be printed, or is a slash in disguise.
    """
    if not path.startswith(b"/"):
        raise NameInvalid(f"{_shown(path)} is not a path: it does not begin with '/'")
    if _PLAIN.fullmatch(path):
        return tuple(path[1:].decode("ascii").split("/"))
    return tuple(_parse_segment(segment) for segment in path[1:].split(b"/"))


def _parse_segment(segment: bytes) -> str:
    try:
        text = unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise NameInvalid(f"{_shown(segment)} is not UTF-8") from None
    if "/" in text or not text.isprintable():
        raise NameInvalid(f"{_shown(segment)} holds a slash or a character that cannot be printed")
    return text


def _shown(raw: bytes) -> str:
    return repr(raw[:300])[1:]

"""The pages as a resource: what is served outside /v2/."""

from functools import partial

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from nixery.pages.index import page, parse_host

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


class Pages(Resource):
    """The index page at /, and a plain 404 anywhere else. `builds`: see page."""

    isLeaf = True

    def __init__(self, builds: bool = True) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._builds = builds

    def render(self, request: Request) -> int:
        """See twisted.web.resource.Resource."""
        if request.path != b"/":
            _answer(request, 404, TEXT, b"There is no page here. The registry is at /v2/, its index page at /.\n")
        elif request.method not in (b"GET", b"HEAD"):
            request.setHeader("Allow", "GET, HEAD")
            _answer(request, 405, TEXT, b"This page can only be read.\n")
        else:
            html = page(parse_host((request.getHeader(b"Host") or b"").decode("latin-1")), self._builds)
            html.addCallback(partial(_answer, request, 200, HTML)).addErrback(request.processingFailed)
        return NOT_DONE_YET


def _answer(request: Request, status: int, content_type: str, body: bytes) -> None:
    request.setResponseCode(status)
    request.setHeader("Content-Type", content_type)
    request.setHeader("Content-Length", str(len(body)))
    request.setHeader("X-Content-Type-Options", "nosniff")
    request.setHeader("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
    request.write(body)
    request.finish()

"""Leave for scripts of other sites to read the registry's answers in a browser (Fetch standard, "CORS protocol")."""

from collections.abc import Collection

from attrs import frozen
from twisted.web.server import Request

from nixery.registry.headers import last

_EXPOSED = (
    "Accept-Ranges, Content-Range, Docker-Content-Digest, Docker-Distribution-Api-Version, ETag, Link, "
    "OCI-Filters-Applied, Retry-After, Warning, WWW-Authenticate"
)
_DAY = "86400"


@frozen
class Cors:
    """The `origins` that have leave, such as `https://tool.example`, or `*` for all."""

    origins: Collection[str]

    def allow(self, request: Request) -> None:
        """Set the headers that let the client's origin read the answer, if it has leave."""
        if not self.origins:
            return
        origin = last(request, "Origin")
        if "*" in self.origins:
            origin = "*"  # the same for all, so that caches need not tell them apart
        else:
            request.responseHeaders.addRawHeader("Vary", "Origin")
        if origin in self.origins:
            request.setHeader("Access-Control-Allow-Origin", origin)
            request.setHeader("Access-Control-Expose-Headers", _EXPOSED)

    def preflight(self, request: Request) -> bool:
        """Answer a browser that asks what a script may send, if that is what it asks and its origin has leave."""
        asked = request.method == b"OPTIONS" and request.requestHeaders.hasHeader("Access-Control-Request-Method")
        if not asked or not request.responseHeaders.hasHeader("Access-Control-Allow-Origin"):
            return False
        request.setResponseCode(204)
        request.setHeader("Docker-Distribution-Api-Version", "registry/2.0")
        request.setHeader("Access-Control-Allow-Methods", "GET, HEAD")
        request.setHeader("Access-Control-Allow-Headers", "*, Authorization")
        request.setHeader("Access-Control-Max-Age", _DAY)
        request.finish()
        return True

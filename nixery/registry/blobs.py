"""The answer for a blob, by where the storage says that it is."""

from functools import partial

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.server import Request

from nixery.errors import BlobUnknown, StorageUnavailable
from nixery.images.digest import Digest
from nixery.registry import answers, contents, streaming
from nixery.registry.conditions import Span
from nixery.registry.contents import Pools
from nixery.registry.sending import Handover
from nixery.storage.interfaces import Location, Redirect

_log = Logger()


async def answer(
    request: Request, digest: Digest, location: Location | None, pools: Pools, clock: IReactorTime
) -> Handover | None:
    """Answer for a blob at `location`; a file is read or sent in `pools`. What is returned is to be rendered.

    Raises BlobUnknown where it is nowhere, and StorageUnavailable where it cannot be read.
    """
    if location is None:
        raise BlobUnknown(f"no blob {digest} is stored; pull the image's manifest by its tag, which makes its blobs")
    if answers.known(request, digest):
        answers.unchanged(request, _headers(digest))
    elif not isinstance(location, Redirect):
        span = answers.part(request, digest, location.size)
        whole = span or Span(0, location.size)
        wanted = None if request.method == b"HEAD" else whole
        begin = partial(answers.begin_part, request, span, location.size, _headers(digest))
        try:
            return await streaming.send(request, partial(contents.opened, location, pools, wanted), begin, clock, whole)
        except OSError:
            _log.failure("the blob {digest} cannot be read", digest=digest)
            raise StorageUnavailable(f"the blob {digest} cannot be read now; the registry's log says why") from None
    elif request.method == b"HEAD":
        answers.begin(request, 200, location.size, _headers(digest))
    else:
        # The URL may be good for a short time only, unlike what is behind it.
        moved = {"Location": location.url, "Docker-Content-Digest": str(digest), "Cache-Control": "no-store"}
        answers.begin(request, 307, 0, moved)
    return None


def _headers(digest: Digest) -> dict[str, str]:
    return {
        **answers.identity(digest),
        "Content-Type": "application/octet-stream",
        "Accept-Ranges": "bytes",
        **answers.FOR_EVER,
    }

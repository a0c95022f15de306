"""What must hold of an answer's head, for manifests and blobs alike.

Source: OCI distribution-spec 1.1, "Pull"; RFC 9110, sections 8.6, 8.8.3 and 9.3.2.
"""

from collections.abc import Mapping

from nixery.images.digest import Digest
from nixery.validating.checks import Place
from nixery.validating.client import Answer, Client

_OF_SIZE = ("content-length",)  # all that hosts must agree on, where one answers HEAD and another GET


def whole(place: Place, answer: Answer, digest: Digest, size: int) -> None:
    """Check the head of an answer with a whole content of that digest and of `size` bytes."""
    place.equal("its Content-Length is its size", answer.header("Content-Length"), str(size))
    place.equal("it has no Content-Encoding", answer.header("Content-Encoding"), None)
    if not answer.moved:  # elsewhere there may be no registry
        place.equal("its Docker-Content-Digest is its digest", answer.header("Docker-Content-Digest"), str(digest))
        place.equal("its ETag is its digest", answer.header("ETag"), f'"{digest}"')


async def same_by_head(place: Place, client: Client, url: str, got: Answer, headers: Mapping[str, str]) -> None:
    """Check that HEAD answers as GET did."""
    with place.fetched():
        head = await client.head(url, headers)
        place.equal("HEAD has the status of GET", head.status, got.status)
        names = _OF_SIZE if got.moved or head.moved else {**head.lasting, **got.lasting}
        both = {name: (head.header(name), got.header(name)) for name in names}
        differ = {name: values for name, values in both.items() if values[0] != values[1]}
        place.true("HEAD has the headers of GET", not differ, f"these differ (HEAD, GET): {differ!a}")

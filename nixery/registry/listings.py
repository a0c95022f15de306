"""Lists that the registry answers with: tags and images, in pages, and referrers, of which there are none.

OCI distribution-spec 1.1, "Listing Tags" and "Listing Referrers".
"""

import json
from collections.abc import Iterable
from urllib.parse import quote

from attrs import frozen
from twisted.web.iweb import IRequest

from nixery.errors import PageInvalid
from nixery.registry import answers

MOST = 10_000
"""Words in one answer: clients that name no number follow the Link to the rest."""

INDEX = "application/vnd.oci.image.index.v1+json"


@frozen
class Page:
    """The part of a list that a client asks for: at most `most` words, those after `last`."""

    most: int
    last: str | None

    def of(self, words: Iterable[str]) -> tuple[list[str], bool]:
        """The words on this page, in the order of their bytes, and whether there are more after them."""
        rest = sorted(word for word in set(words) if self.last is None or word > self.last)
        return rest[: self.most], len(rest) > self.most > 0


def parse_page(request: IRequest) -> Page:
    """The page by the query's `n` and `last`; raises PageInvalid."""
    n, last = _argument(request, b"n"), _argument(request, b"last")
    if n is not None and (not n.isascii() or not n.isdigit()):
        raise PageInvalid(f"n is {n[:100]!r}; it may be a whole number, of names in one answer")
    return Page(MOST if n is None else min(int(n.lstrip("0")[:10] or "0"), MOST), last)


def tags(request: IRequest, name: str, words: Iterable[str]) -> bytes:
    """The answer for the tags of an image; `name` is well-formed."""
    shown, headers = _paged(request, f"/v2/{name}/tags/list", words)
    return answers.whole(request, json.dumps({"name": name, "tags": shown}).encode(), headers)


def repositories(request: IRequest, words: Iterable[str]) -> bytes:
    """The answer for the names of images (distribution's registry API, "Listing Repositories")."""
    shown, headers = _paged(request, "/v2/_catalog", words)
    return answers.whole(request, json.dumps({"repositories": shown}).encode(), headers)


def _paged(request: IRequest, path: str, words: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """The page that is asked for, and the headers with the link to the one after it."""
    page = parse_page(request)
    shown, more = page.of(words)
    link = {"Link": f'<{path}?n={page.most}&last={quote(shown[-1])}>; rel="next"'} if more else {}
    return shown, {"Content-Type": answers.JSON, **answers.FOR_NOW, **link}


def no_referrers(request: IRequest) -> bytes:
    """The answer for what refers to a manifest: nothing does, of whatever type was asked for."""
    headers = {"Content-Type": INDEX}
    if _argument(request, b"artifactType"):
        headers["OCI-Filters-Applied"] = "artifactType"
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    return answers.whole(request, json.dumps(index).encode(), headers)


def _argument(request: IRequest, name: bytes) -> str | None:
    values = (request.args or {}).get(name)
    return None if not values else values[0].decode("utf-8", "replace")

"""Manifests and indexes: asked for by tag and by digest.

Source: OCI distribution-spec 1.1, "Pulling manifests"; OCI image-spec 1.1, "Image Manifest" and "Image Index".
"""

from collections.abc import Mapping, Sequence

from attrs import frozen

from nixery.images.digest import Digest
from nixery.validating import answers
from nixery.validating.checks import Place
from nixery.validating.client import Answer, Client
from nixery.validating.documents import Document, Malformed
from nixery.validating.reference import Reference

_MOST = 4 << 20  # bytes: what clients take (OCI distribution-spec 1.1, "Pushing Manifests")


@frozen
class Manifests:
    """Checks the manifests of one name."""

    client: Client
    reference: Reference

    async def by_tag(self, place: Place, accept: Sequence[str]) -> Document | None:
        """Check what the reference stands for, for a client that takes these media types alone.

        None where there is nothing that can be read.
        """
        found = await self._document(place, self.reference.manifest(), {"Accept": ", ".join(accept)})
        if found is None:
            return None
        body, document = found
        place.true("it is of a type that was asked for", document.media_type in accept, document.media_type)
        if self.reference.is_digest:
            place.equal("its digest is what was asked for", str(document.digest), self.reference.reference)
        else:
            await self._by_digest_too(place, body, document)
        return document

    async def by_digest(self, place: Place, digest: Digest) -> Document | None:
        """Check what a digest stands for; None where there is nothing that can be read."""
        found = await self._document(place, self.reference.manifest(str(digest)), {})
        if found is None:
            return None
        place.equal("its digest is what was asked for", str(found[1].digest), str(digest))
        return found[1]

    async def _document(self, place: Place, url: str, headers: Mapping[str, str]) -> tuple[bytes, Document] | None:
        with place.fetched():
            got, body = await self._body(url, headers)
            if not place.true(
                "GET has status 200", got.status == 200, f"{got.status} {body.decode(errors='replace')}".strip()
            ):
                return None
            answers.whole(place, got, Digest.of(body), len(body))
            await answers.same_by_head(place, self.client, url, got, headers)
            return _read(place, got, body)
        return None

    async def _by_digest_too(self, place: Place, body: bytes, document: Document) -> None:
        with place.fetched():
            got, again = await self._body(self.reference.manifest(str(document.digest)), {})
            place.equal("by digest, GET has status 200", got.status, 200)
            place.true("by digest, it has the same bytes", again == body, f"{len(again)} others")
            place.equal("by digest, its Content-Type is its own", got.header("Content-Type"), document.media_type)

    async def _body(self, url: str, headers: Mapping[str, str]) -> tuple[Answer, bytes]:
        body = bytearray()

        def take(piece: bytes) -> bool:
            body.extend(piece[: _MOST + 1 - len(body)])
            return len(body) <= _MOST

        return await self.client.get(url, take, headers), bytes(body)


def _read(place: Place, got: Answer, body: bytes) -> tuple[bytes, Document] | None:
    try:
        document = Document.read(body)
    except Malformed as error:
        place.true("it can be read", False, str(error))
        return None
    place.equal("its Content-Type is its mediaType", got.header("Content-Type"), document.media_type)
    for annotations in document.annotations:
        place.true("its annotations are texts by name", _are_texts(annotations), ascii(annotations))
    return body, document


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(name and isinstance(text, str) for name, text in value.items())

"""The answer for a manifest, which is the same however it was come by."""

from collections.abc import Mapping
from typing import Self

from attrs import frozen
from twisted.web.iweb import IRequest

from nixery.images.digest import Digest
from nixery.registry import answers


@frozen
class Manifest:
    """The bytes of a manifest or an index, and the headers that go with them."""

    body: bytes
    digest: Digest
    headers: Mapping[str, str]

    @classmethod
    def of(cls, body: bytes, media_type: str, headers: Mapping[str, str]) -> Self:
        """What goes with these bytes, beside `headers`, follows from them."""
        digest = Digest.of(body)
        return cls(body, digest, {**answers.identity(digest), "Content-Type": media_type, **headers})

    def begin(self, request: IRequest) -> bytes:
        """Begin the answer, and return its body: none for a client that has it."""
        if answers.known(request, self.digest):
            return answers.unchanged(request, self.headers)
        return answers.whole(request, self.body, self.headers)

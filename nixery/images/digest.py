"""Digests of blobs and diff IDs of layers: parsed once at the edge, typed apart inside."""

import hashlib
import re
from typing import Self

from attrs import frozen

from nixery.errors import AlgorithmUnknown, DigestInvalid

# OCI image-spec, "Digests": the grammar, and what it says of the algorithms that it registers.
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_OTHER = re.compile(r"sha512:[0-9a-f]{128}|(?!sha(?:256|512):)[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")


@frozen(order=True)
class _Sha256:
    """A SHA-256 in its registry form, `sha256:` and 64 lower case hexadecimal digits (OCI image-spec, "Digests")."""

    hex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The value of `text`; raises DigestInvalid, as AlgorithmUnknown where it is well-formed and no sha256."""
        match = _SHA256.fullmatch(text)
        if match is not None:
            return cls(match[1])
        if _OTHER.fullmatch(text) is not None:
            raise AlgorithmUnknown(f"nothing is stored by the digest {text[:100]}: this registry has sha256 alone")
        raise DigestInvalid(f"{text[:100]!r} is not a digest: this registry knows sha256:<64 hexadecimal digits>")

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The value for `data`."""
        return cls(hashlib.sha256(data).hexdigest())

    def __str__(self) -> str:
        return f"sha256:{self.hex}"


@frozen(order=True)
class Digest(_Sha256):
    """What a blob is stored and asked for by: the hash of its bytes as they travel."""


@frozen(order=True)
class DiffID(_Sha256):
    """What a layer is named by in an image's config: the hash of its tar before compression."""

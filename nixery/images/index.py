"""Image indexes: one name for the images of several platforms.

Formats: OCI image-spec 1.1 ("Image Index") and Docker's "Manifest List" (Image Manifest V 2, Schema 2).
"""

import enum
import json
import re
from collections.abc import Iterable, Mapping
from typing import Self, TypeAlias

from attrs import frozen

from nixery.images.canonical import OtherVersion, encode
from nixery.images.digest import Digest
from nixery.images.manifest import Blob, Format, ImageRecord, as_json, encode_blob

LEFT_OUT = "dev.nixery.left-out."
"""What the annotations begin with that say why a platform is not there; the platform follows."""

_VERSION = 2
"""Of records; those of others are passed over."""

_HASH = re.compile("[0-9a-f]{64}")


class IndexFormat(enum.Enum):
    """An index's format; the value is its media type."""

    OCI = "application/vnd.oci.image.index.v1+json"
    DOCKER = "application/vnd.docker.distribution.manifest.list.v2+json"

    @property
    def manifest(self) -> Format:
        """The format of the manifests that it names."""
        return {IndexFormat.OCI: Format.OCI, IndexFormat.DOCKER: Format.DOCKER}[self]


@frozen
class ImageIndex:
    """The images of a name, one a platform; the first is for clients that take no index.

    `left_out`: platforms that its packages are not available for, and why.
    """

    images: tuple[ImageRecord, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def manifest(self, format: IndexFormat) -> bytes:
        """The index in that format."""
        index: dict[str, object] = {
            "schemaVersion": 2,
            "mediaType": format.value,
            "manifests": [_named(image, format.manifest) for image in self.images],
        }
        if format is IndexFormat.OCI and self.left_out:
            index["annotations"] = {LEFT_OUT + platform: why for platform, why in self.left_out}
        return as_json(index)


@frozen
class IndexRecord:
    """An index as it is stored: the BuildKey and the OCI manifest of each of its images, and the platforms left out."""

    images: tuple[tuple[str, Digest], ...]
    left_out: tuple[tuple[str, str], ...]

    @classmethod
    def naming(cls, images: Iterable[tuple[str, ImageRecord]], left_out: tuple[tuple[str, str], ...]) -> Self:
        """The record of an index of these images, each with its BuildKey."""
        return cls(tuple((key, _digest(image)) for key, image in images), left_out)

    def of(self, images: Iterable[ImageRecord | None]) -> ImageIndex | None:
        """The index of what its BuildKeys stand for now; None unless those are the images that it was made of."""
        found = tuple(image for image in images if image is not None)
        same = [_digest(image) for image in found] == [manifest for _, manifest in self.images]
        return ImageIndex(found, self.left_out) if same else None

    def encode(self) -> bytes:
        """The record as it is stored."""
        images = [[key, manifest.hex] for key, manifest in self.images]
        return encode({"version": _VERSION, "images": images, "left_out": self.left_out})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """What encode wrote; raises ValueError or TypeError for anything else, as the hashes become names."""
        match json.loads(data):
            case {"version": int(version)} if version != _VERSION:
                raise OtherVersion(f"an index's record of version {version}")
            case {"version": int(), "images": [_, *_] as images, "left_out": list(left_out)}:
                if all(_HASH.fullmatch(key) and _HASH.fullmatch(manifest) for key, manifest in images):
                    named = tuple((key, Digest(manifest)) for key, manifest in images)
                    return cls(named, tuple((str(platform), str(why)) for platform, why in left_out))
        raise ValueError("not an index's record")


Rendered: TypeAlias = ImageRecord | ImageIndex
"""What a tag stands for."""


def media_type(index: bytes) -> str:
    """The media type that a stored index names itself; raises ValueError when it is none of ours."""
    try:
        return IndexFormat(json.loads(index)["mediaType"]).value
    except (KeyError, TypeError) as error:
        raise ValueError("not an index") from error


def _digest(image: ImageRecord) -> Digest:
    return Digest.of(image.manifest(Format.OCI))


def _named(image: ImageRecord, format: Format) -> Mapping[str, object]:
    return {
        "mediaType": format.value,
        **encode_blob(Blob.of(image.manifest(format))),
        "platform": {"architecture": image.platform.value, "os": "linux"},
    }

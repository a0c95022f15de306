"""Image indexes: one name for the images of several platforms.

Formats: OCI image-spec 1.1 ("Image Index") and Docker's "Manifest List" (Image Manifest V 2, Schema 2).
"""

import enum
import json
import re
from collections.abc import Mapping
from typing import Self, TypeAlias

from attrs import frozen

from nixery.images.canonical import encode
from nixery.images.digest import Digest
from nixery.images.manifest import Format, ImageRecord

LEFT_OUT = "dev.nixery.left-out."
"""What the annotations begin with that say why a platform is not there; the platform follows."""

_VERSION = 1
_KEY = re.compile("[0-9a-f]{64}")


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
        return json.dumps(index, separators=(",", ":"), ensure_ascii=False).encode()


@frozen
class IndexRecord:
    """An index as it is stored: the BuildKeys of its images, and the platforms left out."""

    keys: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    def encode(self) -> bytes:
        """The record as it is stored."""
        left_out = [list(out) for out in self.left_out]
        return encode({"version": _VERSION, "images": list(self.keys), "left_out": left_out})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """What encode wrote; raises ValueError or TypeError for anything else, as the keys become names."""
        match json.loads(data):
            case {"version": 1, "images": [str(), *_] as keys, "left_out": list(left_out)}:
                if all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
                    return cls(tuple(keys), tuple((str(platform), str(why)) for platform, why in left_out))
        raise ValueError("not an index's record")


Rendered: TypeAlias = ImageRecord | ImageIndex
"""What a tag stands for."""


def media_type(index: bytes) -> str:
    """The media type that a stored index names itself; raises ValueError when it is none of ours."""
    try:
        return IndexFormat(json.loads(index)["mediaType"]).value
    except (KeyError, TypeError) as error:
        raise ValueError("not an index") from error


def _named(image: ImageRecord, format: Format) -> Mapping[str, object]:
    manifest = image.manifest(format)
    return {
        "mediaType": format.value,
        "digest": str(Digest.of(manifest)),
        "size": len(manifest),
        "platform": {"architecture": image.platform.value, "os": "linux"},
    }

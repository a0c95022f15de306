"""Image indexes: one name for the images of several platforms.

Formats: OCI image-spec 1.1 ("Image Index") and Docker's "Manifest List" (Image Manifest V 2, Schema 2).
"""

import enum
import json
from collections.abc import Mapping
from typing import TypeAlias

from attrs import frozen

from nixery.images.digest import Digest
from nixery.images.manifest import Format, ImageRecord

LEFT_OUT = "dev.nixery.left-out."
"""What the annotations begin with that say why a platform is not there; the platform follows."""


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

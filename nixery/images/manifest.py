"""Image records, and the configs and manifests rendered from them.

Formats: OCI image-spec 1.1 ("Image Manifest", "Image Configuration") and Docker's "Image Manifest V 2, Schema 2".
"""

import enum
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Self

from attrs import field, frozen

from nixery.errors import DigestInvalid
from nixery.images.canonical import OtherVersion
from nixery.images.config import ImageConfig
from nixery.images.digest import DiffID, Digest
from nixery.images.name import Platform

CREATED = "1970-01-01T00:00:01Z"
"""When every image was created: a constant, as equal content has equal digests."""

ANNOTATION = "org.opencontainers.image."
"""What the keys begin with that the OCI image-spec defines ("Annotations")."""

_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"

_VERSION = 2
"""Of records; those of others are passed over."""


class Format(enum.Enum):
    """A manifest's format; the value is its media type."""

    OCI = "application/vnd.oci.image.manifest.v1+json"
    DOCKER = "application/vnd.docker.distribution.manifest.v2+json"

    @property
    def config(self) -> str:
        """The media type of the config."""
        return {
            Format.OCI: "application/vnd.oci.image.config.v1+json",
            Format.DOCKER: "application/vnd.docker.container.image.v1+json",
        }[self]

    @property
    def layer(self) -> str:
        """The media type of a gzip layer."""
        return {
            Format.OCI: "application/vnd.oci.image.layer.v1.tar+gzip",
            Format.DOCKER: "application/vnd.docker.image.rootfs.diff.tar.gzip",
        }[self]


@frozen
class Blob:
    """A stored content of `size` bytes."""

    digest: Digest
    size: int

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The blob with this content."""
        return cls(Digest.of(data), len(data))


@frozen
class Layer:
    """A packed layer. `size`: compressed bytes; `comment`: what is in it, for the image's history.

    `zstd`: the same tar compressed by zstd, which OCI manifests then name; Docker's format knows gzip alone.
    """

    diff_id: DiffID
    digest: Digest
    size: int
    comment: str = ""
    zstd: Blob | None = None

    @property
    def gzip(self) -> Blob:
        """The tar compressed by gzip."""
        return Blob(self.digest, self.size)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All of its forms."""
        return (self.gzip,) if self.zstd is None else (self.gzip, self.zstd)


@frozen
class ImageRecord:
    """All that an image is: both manifests and the config are pure functions of it, and rendered once.

    `annotations`: sorted keys and values of the OCI manifest, beside when it was created; Docker's format has none.
    """

    platform: Platform
    layers: tuple[Layer, ...]
    settings: ImageConfig = field(factory=ImageConfig)
    annotations: tuple[tuple[str, str], ...] = ()

    def config(self) -> bytes:
        """The image config."""
        return self._config

    def manifest(self, format: Format) -> bytes:
        """The manifest in that format."""
        return self._manifests[format]

    @cached_property
    def _config(self) -> bytes:
        return as_json(
            {
                "architecture": self.platform.value,
                "os": "linux",
                "created": CREATED,
                "config": self.settings.render(),
                "history": [{"created": CREATED, "created_by": "nixery", "comment": la.comment} for la in self.layers],
                "rootfs": {"type": "layers", "diff_ids": [str(la.diff_id) for la in self.layers]},
            }
        )

    @cached_property
    def _manifests(self) -> Mapping[Format, bytes]:
        return {format: self._render(format) for format in Format}

    def _render(self, format: Format) -> bytes:
        manifest: dict[str, object] = {
            "schemaVersion": 2,
            "mediaType": format.value,
            "config": {"mediaType": format.config, **encode_blob(Blob.of(self.config()))},
            "layers": [_described(layer, format) for layer in self.layers],
        }
        if format is Format.OCI:
            manifest["annotations"] = {f"{ANNOTATION}created": CREATED, **dict(self.annotations)}
        return as_json(manifest)

    def blobs(self) -> dict[Digest, int]:
        """All that has to be stored for the image to be pulled, with the sizes in bytes."""
        rendered = (self.config(), *(self.manifest(format) for format in Format))
        layers = (blob for layer in self.layers for blob in layer.blobs)
        return {blob.digest: blob.size for blob in (*layers, *map(Blob.of, rendered))}

    def encode(self) -> bytes:
        """The record as it is stored."""
        return as_json(
            {
                "version": _VERSION,
                "platform": self.platform.value,
                "settings": self.settings.encode(),
                "annotations": dict(self.annotations),
                "layers": [encode_layer(layer) for layer in self.layers],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """What encode wrote; raises ValueError for anything else."""
        try:
            value = json.loads(data)
            if value["version"] != _VERSION:
                raise OtherVersion(f"an image record of version {value['version']!r}")
            layers = tuple(decode_layer(layer) for layer in value["layers"])
            annotations = tuple(sorted((str(key), str(text)) for key, text in value["annotations"].items()))
            return cls(Platform(value["platform"]), layers, ImageConfig.parse(value["settings"]), annotations)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an image record: {error!r}") from error


def media_type(manifest: bytes) -> str:
    """The media type that a stored manifest names itself; raises ValueError when it is none of ours."""
    try:
        return Format(json.loads(manifest)["mediaType"]).value
    except (KeyError, TypeError) as error:
        raise ValueError("not a manifest") from error


def encode_layer(layer: Layer) -> dict[str, object]:
    """A layer as JSON."""
    zstd = {} if layer.zstd is None else {"zstd": encode_blob(layer.zstd)}
    return {"diffID": str(layer.diff_id), **encode_blob(layer.gzip), "comment": layer.comment, **zstd}


def decode_layer(value: dict[str, object]) -> Layer:
    """What encode_layer wrote; raises ValueError, KeyError or TypeError for anything else."""
    blob = decode_blob(value)
    try:
        diff_id = DiffID.parse(str(value["diffID"]))
    except DigestInvalid as error:
        raise ValueError(str(error)) from error
    zstd = decode_blob(value["zstd"]) if "zstd" in value else None
    return Layer(diff_id, blob.digest, blob.size, str(value["comment"]), zstd)


def encode_blob(blob: Blob) -> dict[str, object]:
    """A blob as JSON."""
    return {"digest": str(blob.digest), "size": blob.size}


def decode_blob(value: object) -> Blob:
    """What encode_blob wrote; raises ValueError for anything else."""
    match value:
        case {"digest": str(digest), "size": int(size)}:
            try:
                return Blob(Digest.parse(digest), size)
            except DigestInvalid as error:
                raise ValueError(str(error)) from error
    raise ValueError("not a blob with a digest and a size")


def _described(layer: Layer, format: Format) -> dict[str, object]:
    """A layer as a manifest names it."""
    if format is Format.OCI and layer.zstd is not None:
        return {"mediaType": _ZSTD, **encode_blob(layer.zstd)}
    return {"mediaType": format.layer, **encode_blob(layer.gzip)}


def as_json(value: object) -> bytes:
    """A document in the one form in which it is hashed: members stay in their order."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

"""Manifests, indexes and configs as they come, read with an eye on what they should be."""

import json
from collections.abc import Iterator, Mapping

from attrs import frozen

from nixery.errors import DigestInvalid
from nixery.images.digest import Digest

Object = Mapping[str, object]


class Malformed(ValueError):
    """A document has not the form that it should have."""


@frozen
class Descriptor:
    """What a document says of another content (OCI image-spec 1.1, "OCI Content Descriptors"). `size`: bytes."""

    media_type: str
    digest: Digest
    size: int
    platform: str | None

    @classmethod
    def read(cls, value: object) -> "Descriptor":
        """From JSON; raises Malformed."""
        match value:
            case {"mediaType": str(media_type), "digest": str(digest), "size": int(size), **rest} if _is_size(size):
                try:
                    return cls(media_type, Digest.parse(digest), size, platform(rest.get("platform")))
                except DigestInvalid as error:
                    raise Malformed(str(error)) from error
        raise Malformed(f"{ascii(value)[:200]} is no descriptor with a mediaType, a digest and a size")


@frozen
class Document:
    """A manifest or an index, of `size` bytes. `config`: None in an index, which has `manifests` and no `layers`."""

    media_type: str
    digest: Digest
    size: int
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]
    annotations: tuple[object, ...]

    @classmethod
    def read(cls, body: bytes) -> "Document":
        """From its bytes; raises Malformed."""
        value = parsed(body)
        match value:
            case {"schemaVersion": int(2), "mediaType": str(media_type), "manifests": list(manifests)}:
                return cls._of(body, value, media_type, None, [], manifests)
            case {
                "schemaVersion": int(2),
                "mediaType": str(media_type),
                "config": dict(config),
                "layers": list(layers),
            }:
                return cls._of(body, value, media_type, config, layers, [])
        raise Malformed("it is neither a manifest nor an index of schemaVersion 2 with a mediaType")

    @classmethod
    def _of(
        cls,
        body: bytes,
        value: Object,
        media_type: str,
        config: Object | None,
        layers: list[object],
        manifests: list[object],
    ) -> "Document":
        return cls(
            media_type,
            Digest.of(body),
            len(body),
            None if config is None else Descriptor.read(config),
            tuple(map(Descriptor.read, layers)),
            tuple(map(Descriptor.read, manifests)),
            tuple(_annotations([value, config, *layers, *manifests])),
        )

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The config and the layers."""
        return (*([] if self.config is None else [self.config]), *self.layers)


@frozen
class Config:
    """What a config says of its image (OCI image-spec 1.1, "OCI Image Configuration").

    `filled`: how many entries of the history have a layer; None without a history.
    """

    platform: str | None
    diff_ids: tuple[object, ...]
    filled: int | None

    @classmethod
    def read(cls, body: bytes) -> "Config":
        """From its bytes; raises Malformed."""
        value = parsed(body)
        match value:
            case {"rootfs": {"type": "layers", "diff_ids": list(diff_ids)}}:
                return cls(platform(value), tuple(diff_ids), _filled(value.get("history")))
        raise Malformed("it has no rootfs of type layers with diff_ids")


def parsed(body: bytes) -> Object:
    """The JSON object in `body`; raises Malformed."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Malformed("it is no JSON object")
    return value


def platform(value: object) -> str | None:
    """The platform in a descriptor or a config, as os/architecture[/variant]; None where there is none."""
    match value:
        case {"os": str(os), "architecture": str(architecture), **rest}:
            variant = rest.get("variant")
            return f"{os}/{architecture}/{variant}" if variant else f"{os}/{architecture}"
    return None


def _is_size(number: int) -> bool:
    """Whether it is one. Python takes true for a number, and no client does."""
    return number >= 0 and not isinstance(number, bool)


def _filled(history: object) -> int | None:
    match history:
        case list():
            return sum(not (isinstance(entry, dict) and entry.get("empty_layer")) for entry in history)
    return None


def _annotations(values: list[object]) -> Iterator[object]:
    return (value["annotations"] for value in values if isinstance(value, dict) and "annotations" in value)

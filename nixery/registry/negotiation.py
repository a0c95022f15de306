"""Which form of an image a client gets, by what its Accept headers say (RFC 9110, 12.5.1)."""

import re
from collections.abc import Sequence

from attrs import frozen

from nixery.images import index, manifest
from nixery.images.index import ImageIndex, IndexFormat, Rendered
from nixery.images.manifest import Format

_WEIGHT = re.compile(r"q=([01](?:\.[0-9]{0,3})?)", re.ASCII | re.IGNORECASE)


@frozen
class _Range:
    """One media range of an Accept header, such as `application/*;q=0.5`."""

    pattern: str
    weight: float


def choose(accept: Sequence[str]) -> Format:
    """The format for a client that sent these Accept headers, each a list of media ranges.

    OCI where the client takes it and does not like Docker's better, else Docker's. A client that sends no Accept
    header gets Docker's too: whoever reads manifests without asking was written when there was nothing else. So does
    one that takes neither, as RFC 9110 allows: it may still understand it, and an error would help it less.
    """
    ranges = [_parse(text) for header in accept for text in header.split(",")]
    oci, docker = _weight(ranges, Format.OCI.value), _weight(ranges, Format.DOCKER.value)
    return Format.OCI if oci > 0 and oci >= docker else Format.DOCKER


def choose_index(accept: Sequence[str]) -> IndexFormat | None:
    """The format of an index for a client that sent these Accept headers; None where it takes a manifest alone.

    An index where the client takes it and does not like manifests better; OCI's as for manifests.
    """
    ranges = [_parse(text) for header in accept for text in header.split(",")]
    single = max(_weight(ranges, format.value) for format in Format)
    oci, docker = _weight(ranges, IndexFormat.OCI.value), _weight(ranges, IndexFormat.DOCKER.value)
    if max(oci, docker) == 0 or max(oci, docker) < single:
        return None
    return IndexFormat.OCI if oci >= docker else IndexFormat.DOCKER


def render(rendered: Rendered, accept: Sequence[str]) -> tuple[bytes, str]:
    """The bytes and the media type for a client that sent these Accept headers.

    One that takes no index gets the manifest of the first platform.
    """
    if isinstance(rendered, ImageIndex):
        chosen = choose_index(accept)
        if chosen is not None:
            return rendered.manifest(chosen), chosen.value
        rendered = rendered.images[0]
    format = choose(accept)
    return rendered.manifest(format), format.value


def media_type_of(body: bytes) -> str:
    """The media type of a stored manifest or index; raises ValueError when it is neither."""
    try:
        return manifest.media_type(body)
    except ValueError:
        return index.media_type(body)


def _parse(text: str) -> _Range:
    pattern, *parameters = [part.strip() for part in text.split(";")]
    weights = [match for match in map(_WEIGHT.fullmatch, parameters) if match is not None]
    return _Range(pattern.lower(), min(1.0, float(weights[0][1])) if weights else 1.0)


def _weight(ranges: Sequence[_Range], media_type: str) -> float:
    """The weight of the most specific range that the type is in; 0 when it is in none."""
    for pattern in (media_type, "application/*", "*/*"):
        weights = [range.weight for range in ranges if range.pattern == pattern]
        if weights:
            return max(weights)
    return 0.0

"""Which manifest format a client gets, by what its Accept headers say (RFC 9110, 12.5.1)."""

import re
from collections.abc import Sequence

from attrs import frozen

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

"""Blobs: pulled once, in pieces, whatever their size; then asked for by HEAD and in parts."""

import hashlib
from collections.abc import Callable

from attrs import frozen

from nixery.images.digest import DiffID, Digest
from nixery.validating import answers
from nixery.validating.checks import Place
from nixery.validating.client import Client
from nixery.validating.documents import Descriptor
from nixery.validating.entries import INVARIANTS
from nixery.validating.layer import LayerReader
from nixery.validating.unpacking import unpacker

_MOST_CONFIG = 4 << 20
_PART = 4096


@frozen
class Seen:
    """What a blob turned out to be. `diff_id`: of a whole layer, or None; `config`: the bytes of a config, or None."""

    diff_id: DiffID | None
    config: bytes | None


class BlobReader:
    """Reads a blob, of as many bytes as its descriptor says and no more; keeps a part of it."""

    def __init__(self, descriptor: Descriptor, layer: bool, step: Callable[[int], None]) -> None:
        self.layer = LayerReader(unpacker(descriptor.media_type)) if layer else None
        self.first = descriptor.size // 3
        self.part = bytearray()
        self.config = bytearray()
        self.size = 0
        self._most = descriptor.size
        self._digest = hashlib.sha256()
        self._step = step

    @property
    def digest(self) -> Digest:
        """Of what was read."""
        return Digest(self._digest.hexdigest())

    def take(self, piece: bytes) -> bool:
        """See client.Take."""
        self._digest.update(piece)
        begin = max(0, self.first - self.size)
        self.part += piece[begin : begin + _PART - len(self.part)]
        self.size += len(piece)
        if self.layer is not None:
            self.layer.take(piece)
        elif self.size <= _MOST_CONFIG:
            self.config += piece
        self._step(len(piece))
        return self.size <= self._most


class Blobs:
    """Checks blobs. `step`: is told how many bytes more have come."""

    def __init__(self, client: Client, step: Callable[[int], None]) -> None:
        self._client = client
        self._step = step

    async def seen(self, place: Place, url: str, descriptor: Descriptor, layer: bool) -> Seen:
        """Check the blob at a URL; `layer`: whether it is one, else it is a config."""
        reader = BlobReader(descriptor, layer, self._step)
        whole = False
        with place.fetched():
            got = await self._client.get(url, reader.take)
            if place.equal("GET has status 200", got.status, 200):
                answers.whole(place, got, descriptor.digest, descriptor.size)
                whole = _same(place, reader, descriptor)
                await answers.same_by_head(place, self._client, url, got, {})
                await self._parts(place, url, reader, descriptor.size)
        if reader.layer is None:
            return Seen(None, bytes(reader.config) if whole and reader.size <= _MOST_CONFIG else None)
        return Seen(_layer(place, reader.layer) if whole else None, None)

    async def _parts(self, place: Place, url: str, reader: BlobReader, size: int) -> None:
        """Check that a part of it can be had, and none beyond its end (RFC 9110, section 14)."""
        part, first, last = bytearray(), reader.first, reader.first + len(reader.part) - 1
        if not reader.part:
            return
        with place.fetched():
            got = await self._client.get(url, _upto(part, _PART), {"Range": f"bytes={first}-{last}"})
            place.equal("Range has status 206", got.status, 206)
            place.equal("Content-Range is the part", got.header("Content-Range"), f"bytes {first}-{last}/{size}")
            place.true("the part has the bytes of the whole", part == reader.part, f"other bytes from {first} on")
            beyond = await self._client.get(url, _upto(bytearray(), _PART), {"Range": f"bytes={size}-"})
            place.equal("Range beyond the end has status 416", beyond.status, 416)


def _same(place: Place, reader: BlobReader, descriptor: Descriptor) -> bool:
    size = place.equal("its size is that of its descriptor", reader.size, descriptor.size)
    digest = place.equal("its digest is that of its descriptor", str(reader.digest), str(descriptor.digest))
    return size and digest


def _layer(place: Place, layer: LayerReader) -> DiffID | None:
    """Check what is in a layer; gives its diff ID."""
    layer.end()
    if not place.true("it is a whole tar", layer.fault is None, layer.fault or ""):
        return None
    for invariant in INVARIANTS:
        fault = layer.entries.fault(invariant)
        place.true(invariant, fault is None, fault or "")
    return layer.diff_id


def _upto(into: bytearray, most: int) -> Callable[[bytes], bool]:
    """Takes at most so many bytes, and one to see that there are more."""

    def take(piece: bytes) -> bool:
        into.extend(piece[: most + 1 - len(into)])
        return len(into) <= most

    return take

"""What there is to pack, as values and as the bytes by which another process is asked for it, and answers."""

import json
from threading import Event
from typing import Protocol

from attrs import frozen

from nixery.errors import PackingFailed, StorageUnavailable
from nixery.images.graph import StorePath
from nixery.images.manifest import Layer, decode_layer, encode_layer
from nixery.images.root import join
from nixery.packing.layer import pack_paths, pack_root
from nixery.packing.listing import StoreListing
from nixery.packing.spare import Spare, none

_ERRORS = {error.__name__: error for error in (PackingFailed, StorageUnavailable)}


@frozen
class Job:
    """A layer of `paths`, or, where it is the `root`, the layer of the image root that joins them."""

    paths: tuple[StorePath, ...]
    comment: str
    root: bool = False

    @classmethod
    def decode(cls, data: bytes) -> "Job":
        """What encode wrote."""
        value = json.loads(data)
        return cls(tuple(map(StorePath, value["paths"])), value["comment"], value["root"])

    def encode(self) -> bytes:
        """One line."""
        paths = [path.text for path in self.paths]
        return json.dumps({"paths": paths, "comment": self.comment, "root": self.root}).encode() + b"\n"

    def pack(self, descriptor: int, cancelled: Event, spare: Spare = none) -> Layer:
        """Write the layer to `descriptor`; blocks. See pack_paths."""
        if not self.root:
            return pack_paths(self.paths, descriptor, cancelled, self.comment, spare)
        listing = StoreListing(self.paths[0].directory if self.paths else "/")
        try:
            entries = join(self.paths, listing)
        except ValueError as error:
            raise PackingFailed(f"the packages cannot be joined into an image root: {error}") from error
        return pack_root(entries, descriptor, cancelled, self.comment)


class Hands(Protocol):
    """Who packs. All of these block, and are called in any thread."""

    def get_ready(self) -> None:
        """Have at hand what `pack` needs: there is a job soon. Takes milliseconds."""

    def pack(self, job: Job, descriptor: int, cancelled: Event) -> Layer:
        """Write the layer to `descriptor`; raises as pack_paths does."""

    def end(self) -> None:
        """Give back whatever is held between jobs, for good; takes a moment."""


class Own:
    """Packs in the thread that asks for it."""

    def get_ready(self) -> None:
        """See Hands."""

    def pack(self, job: Job, descriptor: int, cancelled: Event) -> Layer:
        """See Hands."""
        return job.pack(descriptor, cancelled)

    def end(self) -> None:
        """See Hands."""


def said(outcome: Layer | PackingFailed | StorageUnavailable) -> bytes:
    """One line that says what came of a job."""
    if isinstance(outcome, PackingFailed | StorageUnavailable):
        return json.dumps({"error": type(outcome).__name__, "words": outcome.message}).encode() + b"\n"
    return json.dumps(encode_layer(outcome)).encode() + b"\n"


def heard(line: bytes) -> Layer:
    """The layer that such a line tells of; raises the error that it tells of."""
    value = json.loads(line)
    if "error" in value:
        raise _ERRORS[value["error"]](value["words"])
    return decode_layer(value)

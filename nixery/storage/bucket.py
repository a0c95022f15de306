"""A bucket of an object store: the blocking calls that ObjectStorage makes in threads, and what they raise.

A backend for an object store is a Bucket; all that backends have in common is in nixery.storage.objects.
"""

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from nixery.images.digest import Digest

SMALL = 16 << 20
"""Bytes of an object that is read at once: records and manifests have fewer."""

LINK_SECONDS = 900
"""Seconds for which a signed URL is good."""

VOUCHED = "nixery-sha256"
"""The metadata of an object that says Object.vouched."""

CALLS = 24
"""Calls that an ObjectStorage makes at once: what they go through has as many connections."""


class BucketError(Exception):
    """The bucket did not do what it was asked for.

    The words are for a person, and hold no credential and no signed URL. `passing`: whether trying again may help.
    """

    def __init__(self, words: str, passing: bool) -> None:
        super().__init__(words)
        self.passing = passing


@frozen
class Object:
    """What a bucket says of an object.

    `size` in bytes; `version`: another for each content that was written (a generation, an ETag); `vouched`: the
    hexadecimal SHA-256 that whoever wrote it had checked, None where nobody says so.
    """

    size: int
    version: str
    vouched: str | None


class Bucket(Protocol):
    """Objects by their keys, such as `layers/<sha256>`. All calls block for a bounded time, and raise BucketError."""

    def look(self, key: str) -> Object | None:
        """What there is under that key."""

    def read(self, key: str) -> tuple[bytes, str] | None:
        """A small object's bytes and version, None where there is none. Over SMALL bytes is a BucketError."""

    def read_part(self, key: str, version: str, offset: int, length: int) -> bytes | None:
        """`length` bytes of an object, all of which it has; None where there is no such version any more."""

    def write(self, key: str, data: bytes, replaced: str | None) -> bool:
        """Write a small object in place of that version (None: where there is none); says whether it was written."""

    def remove(self, key: str, version: str) -> bool:
        """Remove an object of that version; says whether it was removed.

        A store that knows no such condition may remove what was written in the same moment.
        """

    def upload(self, key: str, path: str, digest: Digest, replaced: str | None) -> bool:
        """Write an object from a file as `write` does, vouched for by its digest; nothing is seen until it is whole.

        The file's bytes have that digest. What is uploaded is checked on the way, by the store or by us. It breaks off
        when the file is removed: a large one takes long, and its thread is waited for at the end.
        """

    def vouch(self, key: str, version: str, digest: Digest) -> None:
        """Note with an object of that version that its content was checked; does nothing where it is another."""

    def list(self, folder: str, after: str, most: int) -> Sequence[tuple[str, int]]:
        """The objects right in a folder: last words of their keys, with sizes, in the order of their bytes.

        Those after the word `after`, at most `most`: fewer mean that there are no more.
        """

    def link(self, key: str) -> str:
        """A URL at which anyone gets the object by GET, for LINK_SECONDS at least."""

    def close(self) -> None:
        """Give back what is held."""

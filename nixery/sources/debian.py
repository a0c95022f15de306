"""The Debian package set: our expressions with an index that nixery-debian-index has written."""

import json
import os

from nixery.concurrency.pool import Pool
from nixery.errors import SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.interfaces import LATEST


class DebianSource:
    """See Source. Pinned by the index's content hash, which the index itself says."""

    def __init__(self, index: str, expression: str, threads: Pool) -> None:
        self._index = index
        self._expression = expression
        self._threads = threads

    async def pin(self, tag: Tag) -> PinnedSource:
        """See Source."""
        pin = await self._threads.run(read_pin, self._index)
        return PinnedSource("debian", pin, self._expression, (("index", self._index),))

    def tag_of(self, pin: str) -> Tag:
        """See Source: there is but the newest state."""
        return LATEST

    async def still(self, pinned: PinnedSource) -> bool:
        """See Source."""
        return await self._threads.run(read_pin, self._index) == pinned.pin


def read_pin(index: str) -> str:
    """The content hash of an index; raises SourceUnavailable."""
    path = os.path.join(index, "index.json")
    try:
        with open(path, "rb") as file:
            pin = json.load(file)["pin"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceUnavailable(
            f"{path} cannot be read ({error}); make the index with `nixery-debian-index {index}`"
        ) from error
    if not isinstance(pin, str):
        raise SourceUnavailable(f"{path} has no pin; make the index anew with `nixery-debian-index {index}`")
    return pin

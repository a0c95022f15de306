"""An index of nixery-debian-index: where it really lies, and what it says of itself."""

import json
import os
import re
from contextlib import suppress

from attrs import frozen

from nixery.errors import SourceUnavailable

_PIN = re.compile(r"[0-9a-f]{64}")


@frozen
class Index:
    """What lies in `folder` does not change, where nixery-debian-index has put it.

    `pin`: the hash of its content; `architectures`: Debian's names.
    """

    folder: str
    pin: str
    architectures: tuple[str, ...] = ()


def read_index(path: str) -> Index:
    """The index that a path leads to now; raises SourceUnavailable."""
    folder = os.path.realpath(path)
    file = os.path.join(folder, "index.json")
    try:
        with open(file, "rb") as opened:
            said = json.load(opened)
    except (OSError, ValueError, RecursionError) as error:
        raise SourceUnavailable(
            f"{file} cannot be read ({error}); make the index with `nixery-debian-index {path}`"
        ) from error
    match said:
        case {"pin": str(pin), "architectures": [*architectures]}:
            return Index(folder, pin, tuple(map(str, architectures)))
        case {"pin": str(pin)}:
            return Index(folder, pin)
    raise SourceUnavailable(f"{file} has no pin; make the index anew with `nixery-debian-index {path}`")


def index_with(path: str, pin: str) -> Index | None:
    """The index with this pin: the one that a path leads to, or an earlier one beside it; raises SourceUnavailable."""
    now = read_index(path)
    if now.pin == pin:
        return now
    if _PIN.fullmatch(pin):
        with suppress(SourceUnavailable):
            earlier = read_index(os.path.join(os.path.dirname(now.folder), pin))
            return earlier if earlier.pin == pin else None
    return None


def may_be_replaced(path: str) -> bool:
    """Whether this process may put another index in its place."""
    folders = {os.path.dirname(os.path.abspath(path)), os.path.dirname(os.path.realpath(path))}
    return all(os.access(folder, os.W_OK | os.X_OK) for folder in folders)

"""index.json: what an index says of itself; and how all of its files are written.

format         of the index, a number: see nixery.debian.index
architectures  Debian's names
suites         of the lists, such as bookworm-security
pin            sha256 over all other files (hexadecimal): the same packages have the same pin
lists          of apt's, that it was made of: see nixery.debian.lists
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

FORMAT = 1
DESCRIPTION = "index.json"

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"


def write_files(folder: Path, files: Mapping[str, Json]) -> None:
    """Write the files below `folder`; the same values give the same bytes."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


def write_description(folder: Path, architectures: Iterable[str], suites: Iterable[str], lists: Json = None) -> str:
    """Write index.json over all that is below `folder`; gives the pin."""
    pin = pin_of_content(folder)
    description: dict[str, Json] = {
        "format": FORMAT,
        "architectures": [*sorted(set(architectures))],
        "suites": [*sorted(set(suites))],
        "pin": pin,
        "lists": lists,
    }
    write_files(folder, {DESCRIPTION: description})
    return pin


def pin_of_content(folder: Path) -> str:
    """The pin that the files below `folder` have, whatever its description says."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*.json") if path != folder / DESCRIPTION):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{content}  {path.relative_to(folder)}\n".encode())
    return total.hexdigest()

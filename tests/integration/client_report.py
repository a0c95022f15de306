"""Writes what the seven clients do and print, as docs/clients.md, on stdout. Run by scripts/client-matrix.

Its argument is an index of Debian's packages, whose images run.
"""

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.integration.client_commands import Image
from tests.integration.client_errors import Said, ask_all, seen
from tests.integration.client_faults import UNMET
from tests.integration.client_matrix import FOREIGN, Cell, Matrix
from tests.integration.client_words import plain, public
from tests.integration.daemon import package_set, running
from tests.integration.seven_clients import KINDS, Came, Making, carried_out, clients

_INTRODUCTION = """\
# Clients

What seven clients do with this registry, and what they print when it refuses. Written by `scripts/client-matrix`, which
runs them all: do not edit it by hand.

## What they do

What each action showed, by the last words that the client printed:

- "Pull" and "digest": the digest of the image's manifest, and in which format the client took it.
- "OCI layout and back": the same manifest's digest comes back, or the same config's: podman and buildah pack layers
  anew when they write a layout. crane has no store: it pushes from the layout to a registry of its own.
- "Another platform" is `arm64/hello`; "of an index" is `hello` with the client's option for a platform, of a registry
  with `NIXERY_PLATFORMS=linux/amd64,linux/arm64`. What was had is for arm64.
- "Run": the program's words. "List tags": the tag is among them. "Inspect": the platform.
- "Resume": what it does when the connection is cut in the middle of a layer of 30 MB: whether it asks for the rest by
  Range, for all of it again, or for nothing.
- "After a pull": the client has no command that asks the registry alone.
"""

_ERRORS = """
## What they print

How much of the registry's message each prints when a pull fails: all of it, a part, or none. What they printed follows,
without the time and their progress.

- skopeo, podman, buildah and Docker print the message of a 4xx answer; of a 5xx one the status line, where
  the registry puts it too.
- containerd asks by HEAD, whose answer has no body. It prints the status line, but of a 404 nothing.
- Pushing: an image that was pulled goes back under another name.
"""

_PLATFORMS = "linux/amd64,linux/arm64"


def main(index: str) -> None:
    """Run all, which takes some minutes, and write."""
    with tempfile.TemporaryDirectory() as name, clients(Path(name)) as makings:
        folder = Path(name)
        rows = _rows(makings, index, folder)
        errors = ask_all(makings, folder)
        print(_INTRODUCTION)
        cells = [[_versions(client), *(cell.came for cell in row.values())] for client, row in rows.items()]
        _table(["client", *rows["skopeo"]], cells)
        _reasons(rows, folder)
        print(_ERRORS)
        _table(["", *makings], [[error, *_shown(said)] for error, said in errors.items()])
        _unmet()
        for error, said in errors.items():
            _words(error, said, folder)


def _rows(makings: Mapping[str, Making], index: str, folder: Path) -> dict[str, dict[str, Cell]]:
    packages = str(package_set(folder / "packages", folder.name))
    with (
        running(folder / "debian", NIXERY_DEBIAN_INDEX=index) as debian,
        running(folder / "several", NIXERY_DEBIAN_INDEX=index, NIXERY_PLATFORMS=_PLATFORMS) as several,
        running(folder / "large", NIXERY_PKGS_PATH=packages) as large,
    ):
        registry = f"127.0.0.1:{debian.port}"
        foreign = Image(registry, f"{FOREIGN}/hello", architecture=FOREIGN)
        indexed = Image(f"127.0.0.1:{several.port}", "hello", architecture=FOREIGN)
        matrix = Matrix(debian, Image(registry, "hello"), foreign, indexed, large)
        return {name: matrix.row(making, folder / name[:6]) for name, making in makings.items()}


def _versions(name: str) -> str:
    client = KINDS[name](Path(tempfile.gettempdir()))
    numbers = [re.search(r"\d+\.\d+\.\d+", carried_out((command,), client.folder).text) for command in client.versions]
    pairs = zip(client.programs, numbers, strict=True)
    return ", ".join(f"{program} {number[0] if number else '?'}" for program, number in pairs)


def _shown(said: Said) -> list[str]:
    return [seen(said.message, came.text) for came in said.printed.values()]


def _table(head: list[str], rows: list[list[str]]) -> None:
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")


def _reasons(rows: Mapping[str, Mapping[str, Cell]], folder: Path) -> None:
    print("\nWhat they cannot do, and why, or what they print:\n")
    for client, row in rows.items():
        for action, cell in row.items():
            if cell.why:
                print(f"- {client}, {action}: {plain(cell.why, folder)}")


def _unmet() -> None:
    print("\nThe other errors of `nixery/errors.py`, and why no client is asked about them:\n")
    for error, why in UNMET.items():
        print(f"- {error.__name__}: {why}")


def _words(error: str, said: Said, folder: Path) -> None:
    print(f"\n### {error[0].upper()}{error[1:]}\n\nThe registry: {public(said.answer, folder)}")
    for name, came in said.printed.items():
        print(f"\n{name}{_patience(came)}:\n\n```\n{plain(came.text, folder)}\n```")


def _patience(came: Came) -> str:
    return " (which was still trying, and was ended)" if came.status is None else ""


if __name__ == "__main__":
    main(sys.argv[1])

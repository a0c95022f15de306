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
from tests.integration.client_matrix import FOREIGN, Matrix
from tests.integration.daemon import package_set, running
from tests.integration.seven_clients import KINDS, Came, Making, carried_out, clients

_INTRODUCTION = """\
# Clients

What seven clients do with this registry, and what they print when it refuses. Written by `scripts/client-matrix`, which
runs them all: do not edit it by hand.

## What they do

- "After a pull": the client has no command that asks the registry. "Cannot": it has none at all.
- "OCI layout and back": podman and buildah pack layers anew when they write a layout, so that the config's digest comes
  back, but not the manifest's. crane has no store: it pushes from the layout to a registry of its own.
- "Another platform" is `arm64/hello`; "of an index" is `hello` with the client's option for a platform, of a registry
  with `NIXERY_PLATFORMS=linux/amd64,linux/arm64`.
- "Resume": what it does when the connection is cut in the middle of a layer of 30 MB.
"""

_ERRORS = """
## What they print

How much of the registry's message each prints when a pull fails: all of it, a part, or none. What they printed follows,
without the time and their progress.

- skopeo, podman, buildah and Docker print the message of a 4xx answer; of a 5xx one only the status line.
- containerd asks by HEAD, whose answer has no body. It prints the status line, but of a 404 nothing.
"""

_NOISE = re.compile(
    r"^.*(?:CNI config file|elapsed: |: resolving  |active check failed).*$|\x1b\[[0-9;]*m"
    r"|^time=\"[^\"]*\" |^\d{4}/\d\d/\d\d [\d:]+ ",
    re.MULTILINE,
)
_PLATFORMS = "linux/amd64,linux/arm64"

_MOST = 2000
"""Characters of one client's words."""


def main(index: str) -> None:
    """Run all, which takes some minutes, and write."""
    with tempfile.TemporaryDirectory() as name, clients(Path(name)) as makings:
        folder = Path(name)
        rows = _rows(makings, index, folder)
        errors = ask_all(makings, folder)
        print(_INTRODUCTION)
        _table(["client", *rows["skopeo"]], [[_versions(client), *row.values()] for client, row in rows.items()])
        print(_ERRORS)
        _table(["", *makings], [[error, *_shown(said)] for error, said in errors.items()])
        for error, said in errors.items():
            _words(error, said, folder)


def _rows(makings: Mapping[str, Making], index: str, folder: Path) -> dict[str, dict[str, str]]:
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


def _words(error: str, said: Said, folder: Path) -> None:
    print(f"\n### {error[0].upper()}{error[1:]}\n\nThe registry: {_public(said.answer, folder)}")
    for name, came in said.printed.items():
        print(f"\n{name}{_patience(came)}:\n\n```\n{_plain(came.text, folder)}\n```")


def _patience(came: Came) -> str:
    return " (which was still trying, and was ended)" if came.status is None else ""


def _plain(text: str, folder: Path) -> str:
    """What was printed, each line once, and nothing that another run would print otherwise."""
    once: dict[str, str] = {}
    for line in _public(_NOISE.sub("", text), folder).splitlines():
        once.setdefault(re.sub(r"\(\d/\d\)", "", line).strip(), line.rstrip())
    return "\n".join(line for line in once.values() if line)[-_MOST:]


def _public(text: str, folder: Path) -> str:
    return re.sub(r"127\.0\.0\.1:\d+", "registry:5000", text.replace(str(folder), "/srv"))


if __name__ == "__main__":
    main(sys.argv[1])

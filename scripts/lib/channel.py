"""Whether the daemon could use a nixpkgs channel here; prints why not.

Arguments: the address of the channel's git revision, the folder of the tarballs by commit, and what
`nix-store --version` says. Standard library only.
"""

import re
import sys
import tarfile
from http.client import HTTPException
from urllib.request import urlopen

_SECONDS = 5.0


def main(revision: str, archives: str, nix: str) -> int:
    """0, or 1 and the reason on stdout."""
    asked = revision
    try:
        with urlopen(revision, timeout=_SECONDS) as answer:  # noqa: S310  # the user's own address
            asked = f"{archives}/{commit(answer.read(100))}.tar.gz"
        with urlopen(asked, timeout=_SECONDS) as answer, tarfile.open(fileobj=answer, mode="r|*") as tarball:  # noqa: S310
            least = version(minimum(tarball))
    except (OSError, ValueError, EOFError, HTTPException, tarfile.TarError) as error:
        said = "it has a password" if "@" in asked else error  # which the error may repeat
        print(f"{asked.rpartition('@')[2]} cannot be read ({said})")
        return 1
    if version(nix) < least:
        print(f"{asked} needs Nix {written(least)} or newer, and this is {written(version(nix))}")
        return 1
    return 0


def commit(answer: bytes) -> str:
    """The commit's id that is all there is in an answer. Raises ValueError."""
    text = answer.decode("ascii").strip()
    if re.fullmatch("[0-9a-f]{40}", text) is None:
        raise ValueError("it is no commit's id")
    return text


def minimum(tarball: tarfile.TarFile) -> str:
    """The Nix version that nixpkgs asks for; reads no further than to lib/minver.nix. Raises ValueError."""
    for member in tarball:
        if member.name.endswith("/lib/minver.nix"):
            content = tarball.extractfile(member)
            assert content is not None
            return content.read(4096).decode()
    raise ValueError("it has no lib/minver.nix")


def version(text: str) -> tuple[int, ...]:
    """The first version number in the text. Raises ValueError."""
    found = re.search(r"\d+(\.\d+)+", text)
    if found is None:
        raise ValueError(f"{text!r} has no version number")
    return tuple(int(part) for part in found[0].split("."))


def written(version: tuple[int, ...]) -> str:
    """A version number as people write it."""
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

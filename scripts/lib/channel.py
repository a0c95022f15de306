"""Whether a nixpkgs channel can be used here: prints the address that its tarball lies at today, or else why not.

Arguments: the channel's nixexprs.tar.xz, and what `nix-store --version` says. Standard library only.
"""

import re
import sys
import tarfile
from urllib.request import Request, urlopen

_SECONDS = 5.0


def main(url: str, nix: str) -> int:
    """0 and the address on stdout (channels redirect to a release), or 1 and the reason."""
    try:
        with urlopen(Request(url, method="HEAD"), timeout=_SECONDS) as answer:  # noqa: S310  # the user's own address
            release: str = answer.url
        with urlopen(release, timeout=_SECONDS) as answer, tarfile.open(fileobj=answer, mode="r|*") as tarball:  # noqa: S310
            least = version(minimum(tarball))
    except (OSError, ValueError, tarfile.TarError) as error:
        print(f"{url} cannot be read ({error})")
        return 1
    if version(nix) < least:
        print(f"{url} needs Nix {written(least)} or newer, and this is {written(version(nix))}")
        return 1
    print(release)
    return 0


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

"""Our own Nix expressions as files of this host, and what stands for their content."""

import hashlib
from importlib.resources import files
from pathlib import Path

FOLDER = Path(str(files("nixery") / "expressions"))
IMAGE = FOLDER / "image.nix"
DEBIAN = FOLDER / "debian"
GIT = FOLDER / "git.nix"
CHANNEL = FOLDER / "channel.nix"
PATH = FOLDER / "path.nix"

_SUFFIXES = frozenset({".nix", ".py"})


def fingerprint(folder: Path = FOLDER) -> str:
    """The SHA-256 (hexadecimal) of all expressions and builders: the same in a checkout and from a wheel. Blocks."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES:
            content = path.read_bytes()
            whole.update(b"%s %d\n%s" % (str(path.relative_to(folder)).encode(), len(content), content))
    return whole.hexdigest()

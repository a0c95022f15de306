"""What an unpacked package needs besides its declared dependencies, and which of its files cannot be links.

Essential packages are nobody's declared dependency (Debian Policy 3.8), so that what a package runs is read from its
files: a program can call the shell, a script has an interpreter, and a shell script calls the usual tools.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from .tree import Tree

_PROGRAM = re.compile(r"/usr/(bin|sbin|games)/[^/]+")
# Not the scripts below /etc, which an image's own init would run, and not those that report bugs.
_SCRIPT = re.compile(r"/usr/(?!share/bug/).*")
_INTERPRETER = re.compile(rb"#! *(?:/usr)?/bin/(?:env +)?(\w+)")
_REASONS = {b"sh": "shell", b"dash": "shell", b"bash": "bash", b"perl": "perl"}

# Programs that find their parts from their real path. In an image they are real files beside those parts, because a
# link into a store path, where only this package's own files are, would lead them astray.
_FINDS_ITS_PARTS = re.compile(
    r"/usr/bin/[^/]*-linux-gnu[^/]*-(gcc|g\+\+|cpp|gfortran|gnat|gdc)(-\d+)?"
    r"|/usr/lib/go-[\d.]+/bin/[^/]+"
    r"|/usr/lib/llvm-\d+/bin/clang[^/]*"
    r"|/usr/lib/jvm/[^/]+/bin/[^/]+|/usr/bin/rustc"
)


def reasons(tree: Tree) -> set[str]:
    """Why essential packages are needed: some of programs, shell, bash, perl."""
    found = set()
    for path in tree.files():
        place = tree.folder + path
        if os.access(place, os.X_OK):
            found |= {"programs"} if _PROGRAM.fullmatch(path) else set()
            found |= _script(place) if _SCRIPT.fullmatch(path) else set()
    return found


def copies(tree: Tree) -> Iterator[str]:
    """Paths, relative to the tree, of files that an image must have as they are rather than as links."""
    return (path[1:] for path in tree.files() if _FINDS_ITS_PARTS.fullmatch(path))


def _script(place: str) -> set[str]:
    with open(place, "rb") as file:
        interpreter = _INTERPRETER.match(file.read(128))
    reason = _REASONS.get(interpreter.group(1)) if interpreter else None
    if reason is None:
        return set()
    return {reason, "shell"} if reason == "bash" else {reason}

"""The builder: `python3 -m builder.unpack` makes $out of the .debs of one group.

Reads from its environment: `out`; `debs`, store paths; `deps`, the outputs of its dependencies; `multiarch`, such as
x86_64-linux-gnu; `implied_programs`, `implied_shell`, `implied_bash` and `implied_perl`: outputs to add for each reason
that is found (see needs.py). What it leaves for the image's root, in $out/nix-support:

    propagated-user-env-packages   outputs of the dependencies, separated by blanks
    alternatives                   see alternatives.py
    image-copies                   paths relative to $out of files to copy rather than to link, one a line
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
from collections.abc import Iterable, Mapping

from .alternatives import alternatives
from .archive import control, unpack
from .needs import copies, reasons
from .tree import MERGED, Hostile, Tree, canonical

_CERTIFICATES = "/usr/share/ca-certificates/mozilla"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def build(environment: Mapping[str, str]) -> None:
    """Make $out. Raises Hostile, OSError or tarfile.TarError for a package that cannot be unpacked."""
    os.umask(0o022)
    tree = Tree(environment["out"])
    os.mkdir(tree.folder)
    rows = [row for deb in environment["debs"].split() for row in _add_package(tree, deb, environment["multiarch"])]
    _merge_usr(tree)
    _join_certificates(tree)
    _root_dangling_links(tree)
    depends = environment["deps"].split()
    depends += [path for reason in sorted(reasons(tree)) for path in environment[f"implied_{reason}"].split()]
    _record(tree, "alternatives", rows)
    _record(tree, "image-copies", copies(tree))
    _record(tree, "propagated-user-env-packages", [" ".join(dict.fromkeys(depends))] if depends else [])


def _add_package(tree: Tree, deb: str, multiarch: str) -> list[str]:
    """Unpack one .deb; its control file goes where scanners of images look for it. Gives its alternatives."""
    unpack(deb, tree)
    texts = control(deb)
    fields = dict(line.split(": ", 1) for line in texts["control"].splitlines() if line[:1].isalpha() and ": " in line)
    _write(tree, canonical(f"/var/lib/dpkg/status.d/{os.path.basename(fields['Package'])}"), texts["control"].encode())
    return alternatives(texts.get("postinst", ""), multiarch)


def _merge_usr(tree: Tree) -> None:
    for name in MERGED:
        if os.path.isdir(f"{tree.folder}/usr/{name}"):
            os.symlink(f"usr/{name}", f"{tree.folder}/{name}")


def _root_dangling_links(tree: Tree) -> None:
    """A relative link to another package's file leads nowhere from inside the store: it becomes absolute."""
    for path in list(tree.links()):
        place = tree.folder + path
        target = os.readlink(place)
        meant = f"{os.path.dirname(path)}/{target}"
        if not target.startswith("/") and not tree.exists(meant):
            os.unlink(place)
            os.symlink(canonical(meant), place)


def _join_certificates(tree: Tree) -> None:
    """What ca-certificates' postinst would do, and the place where OpenSSL looks by itself."""
    folder = tree.folder + _CERTIFICATES
    if not os.path.isdir(folder):
        return
    texts = []
    for name in sorted(os.listdir(folder)):
        with open(f"{folder}/{name}", "rb") as file:
            texts.append(file.read().rstrip(b"\n") + b"\n")
    _write(tree, _BUNDLE, b"".join(texts))
    tree.add_link("/etc/ssl/certs/ca-bundle.crt", "ca-certificates.crt")
    tree.add_link("/usr/lib/ssl/cert.pem", _BUNDLE)


def _record(tree: Tree, name: str, lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if text:
        _write(tree, f"/nix-support/{name}", text.encode("utf-8", "surrogateescape"))


def _write(tree: Tree, path: str, content: bytes) -> None:
    tree.add_file(path, io.BytesIO(content), executable=False)


if __name__ == "__main__":
    try:
        build(os.environ)
    except (Hostile, tarfile.TarError) as error:
        sys.exit(f"cannot unpack: {error}")

"""A .deb's files, put into a tree with modes that Nix can keep: 0755 for folders and what may be executed, else 0644.

Source: deb(5), dpkg-deb(1). dpkg-deb only takes the archive apart; which files are written, and how, is decided here,
so that every version of it and of Python gives the same tree.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from .tree import MERGED, Hostile, Tree, canonical

_LEFT_OUT = re.compile(r"/(dev|nix-support)(/.*)?|/usr/share/(man|info|locale|lintian|linda|doc-base)(/.*)?")
_DOCUMENTS = re.compile(r"/usr/share/doc(/.*)?")
_COPYRIGHT = re.compile(r"/usr/share/doc/.+/copyright")
_DOCUMENTS_OF_ANOTHER = re.compile(r"/usr/share/doc/[^/]+")
_CONTROL_LIMIT = 4 << 20  # bytes; the largest postinst in Debian has some 100,000


def unpack(deb: str, tree: Tree) -> None:
    """Write the files of `deb` into `tree`, without documents but with copyrights."""
    with _members(deb, "--fsys-tarfile") as archive:
        for member in archive:
            path = _path(member.name)
            if path != "/" and path[1:] not in MERGED and _is_kept(canonical(path), member):
                _add(tree, archive, member, canonical(path))


def control(deb: str) -> dict[str, str]:
    """The control files of `deb` (control, postinst, ...) by name."""
    texts = {}
    with _members(deb, "--ctrl-tarfile") as archive:
        for member in archive:
            if member.isreg():
                texts[_path(member.name)[1:]] = (
                    _content(archive, member).read(_CONTROL_LIMIT).decode("utf-8", "replace")
                )
    return texts


def _add(tree: Tree, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    """Devices and pipes are left out: a store path cannot hold them."""
    if member.isdir():
        tree.add_folder(path)
    elif member.issym():
        tree.add_link(path, _link_target(_path(member.name), member.linkname))
    elif member.islnk():
        other = canonical(_path(member.linkname))
        if _is_kept(other, member):
            tree.add_hard_link(path, other)
    elif member.isreg():
        tree.add_file(path, _content(archive, member), executable=bool(member.mode & 0o111))


def _is_kept(path: str, member: tarfile.TarInfo) -> bool:
    if _DOCUMENTS.fullmatch(path):
        is_link_to_another = member.issym() and _DOCUMENTS_OF_ANOTHER.fullmatch(path) is not None
        return is_link_to_another or (not member.isdir() and _COPYRIGHT.fullmatch(path) is not None)
    return _LEFT_OUT.fullmatch(path) is None


def _path(name: str) -> str:
    """A member's name as an absolute path within the tree."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise Hostile(f"the archive has a member {name!r}, which leads out of it")
    return "/" + "/".join(parts)


def _link_target(path: str, target: str) -> str:
    """Where the link itself moves under /usr, what it reaches by way of .. is named from the root instead."""
    if canonical(path) != path and not target.startswith("/") and ".." in target.split("/"):
        return canonical(path.rpartition("/")[0] + "/" + target)
    return target


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise Hostile(f"{member.name!r} has no content")
    return content


@contextmanager
def _members(deb: str, part: str) -> Iterator[tarfile.TarFile]:
    """One of the two archives in a .deb, as a stream."""
    with subprocess.Popen(["dpkg-deb", part, deb], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        with tarfile.open(fileobj=reader.stdout, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
            yield archive
        while reader.stdout.read(1 << 20):
            pass  # padding after the archive's end, which dpkg-deb must be able to write
    if reader.returncode != 0:
        raise Hostile(f"dpkg-deb could not read {deb}")

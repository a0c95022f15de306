"""Graphs and store contents for the tests of images."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Union

from attrs import frozen
from hypothesis import strategies as st

from nixery.images.entries import Directory, Entry, File, Link, RootEntry, RootLink
from nixery.images.graph import Closure, PathInfo, StorePath
from nixery.images.root import join

BASE32 = "0123456789abcdfghijklmnpqrsvwxyz"


def store_path(name: str) -> StorePath:
    """A store path whose hash follows from its name."""
    digest = hashlib.sha256(name.encode()).digest()
    return StorePath.parse(f"/nix/store/{''.join(BASE32[byte % 32] for byte in digest)}-{name}")


def closure(references: Mapping[str, Iterable[str]], size: int = 1000, **sizes: int) -> Closure:
    """The closure of paths by name; sizes in bytes."""
    return Closure.of(
        PathInfo(
            store_path(name),
            hashlib.sha256(name.encode()).hexdigest(),
            sizes.get(name, size),
            tuple(sorted(store_path(other) for other in others)),
        )
        for name, others in references.items()
    )


@st.composite
def acyclic(draw: st.DrawFn, most: int) -> dict[str, list[str]]:
    """References by name, for closure(): at most so many paths, each of which refers to at most four later ones."""
    size = draw(st.integers(1, most))
    return {
        f"n{node}": [f"n{other}" for other in draw(st.sets(st.integers(node + 1, size - 1), max_size=4))]
        if node + 1 < size
        else []
        for node in range(size)
    }


@frozen
class To:
    """A symbolic link."""

    target: str


Node = Union["Folder", To, str]
"""A directory, a link, or a file by its text; a text that begins with #! is a program's."""
Folder = dict[str, Node]


def look(world: Folder, path: str, links: int = 40) -> Node | None:
    """What the kernel finds at a path when all links are followed."""
    trail: list[Folder] = [world]
    todo = path.split("/")[::-1]
    while todo:
        name = todo.pop()
        if name in ("", "."):
            continue
        if name == "..":
            trail = trail[:-1] or [world]
            continue
        node = trail[-1].get(name)
        if isinstance(node, To):
            links -= 1
            if links < 0:
                return None
            trail = [world] if node.target.startswith("/") else trail
            todo += node.target.split("/")[::-1]
        elif isinstance(node, dict):
            trail.append(node)
        else:
            return node if not any(step not in ("", ".") for step in todo) else None
    return trail[-1]


def plant(world: Folder, path: str, node: Node) -> None:
    """Have a node at a path, and real directories above it."""
    *parents, name = path.strip("/").split("/")
    for parent in parents:
        below = world.setdefault(parent, {})
        assert isinstance(below, dict), f"{path} is below something that is not a directory"
        world = below
    assert name not in world or (world[name] == {} == node), f"{path} is there twice"
    world[name] = node


class FakeStore:
    """A Listing of packages given as {name: {path: file text or To(target) or {}}}."""

    def __init__(self, packages: Mapping[str, Mapping[str, Node]]) -> None:
        self.world: Folder = {}
        for package, files in packages.items():
            plant(self.world, store_path(package).text, {})
            for path, node in files.items():
                plant(self.world, f"{store_path(package)}/{path}", node)
        self.listed: list[str] = []

    def entries(self, path: str) -> Mapping[str, Entry]:
        self.listed.append(path)
        folder = look(self.world, path)
        return (
            {name: self._entry(path, name, node) for name, node in folder.items()} if isinstance(folder, dict) else {}
        )

    def read(self, path: str) -> str | None:
        text = look(self.world, path)
        return text if isinstance(text, str) else None

    def _entry(self, path: str, name: str, node: Node) -> Entry:
        if isinstance(node, To):
            return Link(node.target, isinstance(look(self.world, f"{path}/{name}"), dict))
        return Directory() if isinstance(node, dict) else File(node.startswith("#!"))


def joined(packages: Mapping[str, Mapping[str, Node]], *names: str) -> dict[str, RootEntry]:
    """The root of the named packages, by default of all."""
    return dict(join([store_path(name) for name in names or packages], FakeStore(packages)))


def link(package: str, path: str) -> RootLink:
    return RootLink(f"{store_path(package)}/{path}")

"""The root file system of an image: its packages' files joined by links into the store.

nix-support/ in a package is not for the image, but says how to join it: propagated-user-env-packages (as nix-env reads
it), image-copies (files that must not be links, one relative path a line) and alternatives.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from nixery.images import alternatives, standard
from nixery.images.entries import (
    File,
    Listing,
    RootCopy,
    RootEntry,
    RootLink,
)
from nixery.images.graph import StorePath
from nixery.images.store import Store, is_plain
from nixery.images.tree import Tree
from nixery.images.union import Folder, Source

LAYOUT = "1"
"""Raised whenever the same packages are joined into another root."""


def join(packages: Sequence[StorePath], listing: Listing) -> tuple[tuple[str, RootEntry], ...]:
    """The root's entries by relative path, sorted, so that a directory comes before what is in it.

    Where packages have the same file, the first one wins; a directory wins over a file. Raises ValueError when the
    root would be too deep or too large.
    """
    store = Store(packages[0].directory if packages else "/nix/store", listing)
    joined = _with_propagated(packages, store)
    tree = Tree(Folder("", store, tuple(Source(package, package) for package in joined)))
    for package in joined:
        _copy(tree, store, package)
    offered = [alternatives.parse(store.read(f"{package}/nix-support/alternatives")) for package in joined]
    alternatives.apply(tree, [alternative for each in offered for alternative in each])
    standard.furnish(tree)
    return tuple(sorted(tree.entries(), key=lambda entry: entry[0]))


def _with_propagated(packages: Iterable[StorePath], store: Store) -> list[str]:
    """The packages, then those that they bring along, breadth first."""
    found: dict[str, None] = {}
    queue = deque(package.text for package in packages)
    while queue:
        package = queue.popleft()
        if package not in found:
            found[package] = None
            words = store.read(f"{package}/nix-support/propagated-user-env-packages").split()
            queue += [word for word in words if _is_store_path(word, store)]
    return list(found)


def _is_store_path(text: str, store: Store) -> bool:
    try:
        return StorePath.parse(text).directory == store.top
    except ValueError:
        return False


def _copy(tree: Tree, store: Store, package: str) -> None:
    """Turn links to the files in a package's image-copies into copies, but not those to another package's files."""
    for path in store.read(f"{package}/nix-support/image-copies").splitlines():
        source = store.follow(f"{package}/{path}") if is_plain(path) else None
        if source is not None and source.startswith(f"{package}/") and tree.get(path) == RootLink(source):
            file = store.entry(source)
            if isinstance(file, File):
                tree.replace(path, RootCopy(source, 0o755 if file.executable else 0o644))

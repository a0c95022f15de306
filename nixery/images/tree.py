"""An image root while it is put together: the packages' union, and what is added to it."""

from collections.abc import Iterable, Iterator

from attrs import define

from nixery.images.entries import RootDirectory, RootEntry, RootLink
from nixery.images.store import MOST_LINKS
from nixery.images.union import Folder

DEEPEST = 128
MOST_ENTRIES = 500_000


@define(eq=False)
class Tree:
    """The root under `top`. Paths are as seen in the image, the slash before them being optional."""

    top: Folder

    def get(self, path: str) -> Folder | RootEntry | None:
        """What is at a path, the links to its directory followed within the root."""
        trail, name = self._walk(path)
        return trail[-1].children.get(name) if trail else None

    def put(self, path: str, entry: RootEntry) -> bool:
        """Add an entry, and the directories above it, unless something is there; says whether it was added."""
        return self.get(path) is None and self.replace(path, entry)

    def replace(self, path: str, entry: RootEntry) -> bool:
        """Have an entry at a path, whatever is there; fails where something above it is not a directory."""
        trail, name = self._walk(path, make=True)
        _open(trail)
        if trail:
            trail[-1].children[name] = entry
        return bool(trail)

    def make_directory(self, path: str, mode: int) -> None:
        """Have a directory at a path with this mode, in the place of whatever else is there."""
        trail, name = self._walk(path, make=True)
        if trail:
            there = trail[-1].children.get(name)
            folder = there if isinstance(there, Folder) else Folder(trail[-1].inside(name), self.top.store)
            folder.mode = mode
            trail[-1].children[name] = folder
            _open([*trail, folder])

    def entries(self) -> Iterator[tuple[str, RootEntry]]:
        """All of it by relative path, in no particular order; raises ValueError where it is too deep or too large."""
        todo = [self.top]
        count = 0
        while todo:
            folder = todo.pop()
            count += len(folder.children)
            _check(folder.path, count)
            for name, child in folder.children.items():
                if not isinstance(child, Folder):
                    yield folder.inside(name), child
                elif child.closed:
                    yield child.path, child.closed
                else:
                    yield child.path, RootDirectory(child.mode)
                    todo.append(child)

    def _walk(self, path: str, make: bool = False) -> tuple[list[Folder], str]:
        """The directories from the top to what holds a path, none if one is missing; and the path's name in there."""
        *parents, name = path.split("/")
        trail = [self.top]
        todo = parents[::-1]
        links = 0
        while todo:
            step = todo.pop()
            if step == "..":
                trail = trail[:-1] or [self.top]
            elif step not in ("", "."):
                child = _child(trail[-1], step, make)
                if isinstance(child, Folder):
                    trail.append(child)
                elif isinstance(child, RootLink) and links < MOST_LINKS and not self._in_store(child.target):
                    links += 1
                    trail = [self.top] if child.target.startswith("/") else trail
                    todo += child.target.split("/")[::-1]
                else:
                    return [], name
        return trail, name

    def _in_store(self, target: str) -> bool:
        return target.startswith(f"{self.top.store.top}/")


def _open(folders: Iterable[Folder]) -> None:
    for folder in folders:
        folder.closed = None


def _child(folder: Folder, name: str, make: bool) -> Folder | RootEntry | None:
    if make and name not in folder.children:
        folder.children[name] = Folder(folder.inside(name), folder.store)
    return folder.children.get(name)


def _check(path: str, count: int) -> None:
    if path.count("/") >= DEEPEST:
        raise ValueError(f"the image root is more than {DEEPEST} directories deep at {path[:100]!r}...")
    if count > MOST_ENTRIES:
        raise ValueError(f"the image root has more than {MOST_ENTRIES} entries at {path[:100]!r}")

"""Several packages' directories seen as one, merged only as far as somebody looks."""

import posixpath
import re
from collections.abc import Mapping, Sequence

from attrs import define, field, frozen

from nixery.images.entries import Directory, Entry, Link, RootEntry, RootLink
from nixery.images.store import Store

MODE = 0o755

# A directory that only one package has may be a link to it here: programs only read it.
_LINKABLE = re.compile(r"(?:usr/)?(?:share|lib|lib64|lib32|libexec|include|src)/.+", re.DOTALL)


@frozen
class Source:
    """A directory of a package, by its canonical path in the store."""

    package: str
    path: str


@define(eq=False)
class Folder:
    """A directory of the root. `path`: in the root, without a slash before it; `sources`: in order of precedence.

    `closed`: the link that stands for the directory as long as nothing of ours goes into it. `entered`: the
    directories that links have led to on the way here, none of which is entered by a link again.
    """

    path: str
    store: Store
    sources: tuple[Source, ...] = ()
    closed: RootLink | None = None
    mode: int = MODE
    entered: frozenset[str] = frozenset()
    _children: "dict[str, Folder | RootEntry] | None" = field(default=None, init=False)

    @property
    def children(self) -> "dict[str, Folder | RootEntry]":
        """What is in the directory, by name; merged when first asked for."""
        if self._children is None:
            self.store.count_merge()
            found: dict[str, list[tuple[Source, Entry]]] = {}
            for source in self.sources:
                for name, entry in self._visible(source).items():
                    found.setdefault(name, []).append((source, entry))
            self._children = {name: self._merge(name, found[name]) for name in sorted(found)}
        return self._children

    def inside(self, name: str) -> str:
        """The path of an entry."""
        return f"{self.path}/{name}" if self.path else name

    def _visible(self, source: Source) -> Mapping[str, Entry]:
        """What of a source belongs in the root: not what is for Nix, would hide the store, or no layer can carry."""
        hidden = set() if self.path else {"nix-support", *self.store.top.split("/")[1:2]}
        return {
            name: entry
            for name, entry in self.store.entries(source.path).items()
            # OCI image-spec, "Whiteouts": such a name in a layer says that a file is deleted.
            if name not in hidden and not name.startswith(".wh.") and "/" not in name and name not in ("", ".", "..")
        }

    def _merge(self, name: str, found: Sequence[tuple[Source, Entry]]) -> "Folder | RootEntry":
        targets = {self._lasting_target(source, name, entry) for source, entry in found}
        if len(targets) == 1 and (target := targets.pop()) is not None:
            return RootLink(target)
        sources: dict[str, Source] = {}
        entered = set(self.entered)
        for source, entry in found:
            directory = self._directory(source, name, entry)
            if directory is not None:
                sources.setdefault(directory, Source(source.package, directory))
                entered.update([directory] if isinstance(entry, Link) else [])
        if not sources:
            return self._leaf(*found[0], name)
        path = self.inside(name)
        only_a_link = len(found) == 1 and isinstance(found[0][1], Link)
        closable = len(sources) == 1 and (only_a_link or _LINKABLE.fullmatch(path))
        closed = RootLink(next(iter(sources))) if closable else None
        return Folder(path, self.store, tuple(sources.values()), closed, entered=frozenset(entered))

    def _directory(self, source: Source, name: str, entry: Entry) -> str | None:
        """The canonical path of the directory that an entry is or leads to."""
        path = f"{source.path}/{name}"
        match entry:
            case Directory():
                return path
            case Link(directory=True):
                followed = self.store.follow(path)
                return None if followed in self.entered else followed
        return None

    def _lasting_target(self, source: Source, name: str, entry: Entry) -> str | None:
        """The target of a link that means in the root what it means in its package: lib64 -> lib."""
        if not isinstance(entry, Link) or not entry.directory or entry.target.startswith("/"):
            return None
        at_home = source.path == posixpath.join(source.package, self.path).rstrip("/")
        if not at_home or f"{posixpath.normpath(self.inside(entry.target))}/".startswith("../"):
            return None
        followed = self.store.follow(f"{source.path}/{name}")
        return entry.target if f"{followed}/".startswith(f"{source.package}/") else None

    def _leaf(self, source: Source, entry: Entry, name: str) -> RootLink:
        if (
            isinstance(entry, Link)
            and entry.target.startswith("/")
            and not entry.target.startswith(f"{self.store.top}/")
        ):
            return RootLink(entry.target)
        return RootLink(f"{source.path}/{name}")

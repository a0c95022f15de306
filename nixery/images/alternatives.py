"""Debian's alternatives: several packages offer one program, and the highest priority gets the name.

A package says what it offers in nix-support/alternatives, a line for each: priority, name, link and path, then for each
slave its link, name and path, all parted by tabs. See update-alternatives(1).
"""

from collections.abc import Iterable, Iterator

from attrs import frozen

from nixery.images.entries import RootLink
from nixery.images.store import is_plain
from nixery.images.tree import Tree

_DIRECTORY = "/etc/alternatives"


@frozen
class Choice:
    """`link` leads to /etc/alternatives/`name`, and that to `path`. Link and path are absolute."""

    link: str
    name: str
    path: str


@frozen
class Alternative:
    """What one package offers: a choice, and others that come with it."""

    priority: int
    master: Choice
    slaves: tuple[Choice, ...]


def parse(text: str) -> Iterator[Alternative]:
    """The alternatives in a file; what is malformed or leads elsewhere is left out."""
    for line in text.splitlines():
        priority, _, rest = line.partition("\t")
        fields = rest.split("\t")
        if _is_number(priority) and len(fields) % 3 == 0:
            slaves = [Choice(link, name, path) for link, name, path in zip(*[iter(fields[3:])] * 3, strict=True)]
            master = Choice(fields[1], fields[0], fields[2])
            if all(_is_sound(choice) for choice in (master, *slaves)):
                yield Alternative(int(priority), master, tuple(slaves))


def apply(tree: Tree, alternatives: Iterable[Alternative]) -> None:
    """Link, for each name, the alternative of the highest priority whose path exists; of equal ones the first."""
    chosen: set[str] = set()
    for alternative in sorted(alternatives, key=lambda alternative: -alternative.priority):
        name = alternative.master.name
        if name not in chosen and tree.get(alternative.master.path) is not None:
            chosen.add(name)
            for choice in (alternative.master, *alternative.slaves):
                _link(tree, choice)


def _link(tree: Tree, choice: Choice) -> None:
    """Make both links, unless the path is absent or a package has a file of its own where the link should be."""
    target = RootLink(f"{_DIRECTORY}/{choice.name}")
    if tree.get(choice.path) is not None and (tree.put(choice.link, target) or tree.get(choice.link) == target):
        tree.put(target.target, RootLink(choice.path))


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit() and len(text) < 12


def _is_sound(choice: Choice) -> bool:
    return is_plain(choice.name) and "/" not in choice.name and _is_absolute(choice.link) and _is_absolute(choice.path)


def _is_absolute(path: str) -> bool:
    return path.startswith("/") and is_plain(path[1:])

"""A git server's branches and tags, and which of them an image tag means.

`latest` is the default branch. Another tag is the branch of that name, else the git tag of that name. A `/`, which an
image tag cannot hold, is written `--`: `feature--x` is the branch `feature/x`, unless there is a branch or git tag that
is really called `feature--x`. What could be more than one of them is refused.
"""

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping

from attrs import field, frozen

from nixery.errors import ManifestUnknown, SourceUnavailable, TagInvalid
from nixery.images.name import Tag, parse_reference

MOST = 500_000
"""Branches and tags that are kept: some 100 MB. nixpkgs has a few thousand."""

_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_LINE = re.compile(r"([0-9a-f]{40})\t(HEAD|refs/(?:heads|tags)/[A-Za-z0-9_][A-Za-z0-9._/-]*(?:\^\{\})?)", re.ASCII)
_FOLDERS = ("refs/heads/", "refs/tags/")
_COMPARED = 20_000
_NEAR = 3


@frozen
class Ref:
    """A commit (40 hexadecimal digits), and the full name under which the server has it; None where it is not known."""

    commit: str
    name: str | None = None


@frozen
class Refs:
    """What a server has, by full names such as refs/heads/main; `slashed`: names with `/` by how a tag writes them."""

    commits: Mapping[str, str]
    slashed: Mapping[str, tuple[str, ...]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        slashed: dict[str, tuple[str, ...]] = {}
        for name in self.commits:
            if "/" in _short(name):
                slashed[_written(name)] = (*slashed.get(_written(name), ()), name)
        object.__setattr__(self, "slashed", slashed)

    def resolve(self, tag: Tag) -> Ref:
        """What a tag means; raises ManifestUnknown with the names that are near it."""
        names = self._literal(tag.text) or self._with_slashes(tag.text)
        if not names:
            raise ManifestUnknown(self._unknown(tag.text))
        return Ref(self.commits[names[0]], names[0])

    def tags(self) -> frozenset[str]:
        """The image tags that mean one of these."""
        written = {_written(name) for name in self.commits if name != "HEAD"} | {"latest"}
        return frozenset(text for text in written if self._is_one(text))

    def _is_one(self, text: str) -> bool:
        """Whether it is a tag, by its grammar, and means a ref of these."""
        try:
            parse_reference(text)
            self.resolve(Tag(text))
        except (TagInvalid, ManifestUnknown):
            return False
        return True

    def at(self, commit: str) -> Ref:
        """A commit, with a name that it has, if it has one."""
        return Ref(commit, next((name for name, other in self.commits.items() if other == commit), None))

    def _literal(self, text: str) -> list[str]:
        names = ["HEAD"] if text == "latest" else [folder + text for folder in _FOLDERS]
        return [name for name in names if name in self.commits]

    def _with_slashes(self, text: str) -> list[str]:
        names = self.slashed.get(text, ()) if text != "latest" else ()
        meant = sorted({_short(name) for name in names})
        if len(meant) > 1:
            raise ManifestUnknown(f"the tag {text!r} could mean {' or '.join(meant)}: ask for the commit's id instead")
        return sorted(names)  # refs/heads before refs/tags

    def _unknown(self, text: str) -> str:
        if text == "latest":
            return "the git repository has no default branch: ask for a branch, a git tag or a commit's id"
        near = self._near(text)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return f"the git repository has no branch or tag {text!r}{hint}"

    def _near(self, text: str) -> list[str]:
        """Up to three names like it, as tags write them. Only some are compared, as this holds up all requests."""
        begun = text[:2].lower()
        alike = (tag for tag in self._tags() if tag.lower().startswith(begun))
        others = (tag for tag in self._tags() if not tag.lower().startswith(begun))
        some = list(dict.fromkeys([*itertools.islice(alike, 500), *itertools.islice(others, 500)]))
        return difflib.get_close_matches(text, some, _NEAR)

    def _tags(self) -> Iterator[str]:
        return (_written(name) for name in itertools.islice(self.commits, _COMPARED) if name != "HEAD")


class Listing:
    """Reads what `git ls-remote` writes, line by line (man git-ls-remote, OUTPUT)."""

    def __init__(self, most: int = MOST) -> None:
        self._commits: dict[str, str] = {}
        self._most = most

    def line(self, line: bytes) -> None:
        """Take a line. What no tag can name is passed over: other folders of refs, names that are not ASCII."""
        found = _LINE.fullmatch(line.decode("latin-1"))
        if found is not None and len(self._commits) <= self._most:
            # An annotated tag comes twice: itself, and with ^{} what it stands for.
            self._commits[found[2].removesuffix("^{}")] = found[1]

    def refs(self) -> Refs:
        """All of it; raises SourceUnavailable when it is too much."""
        if len(self._commits) > self._most:
            raise SourceUnavailable(f"the git repository has more than {self._most:,} branches and tags")
        return Refs(self._commits)


def commit_id(tag: Tag) -> str | None:
    """The commit that a tag names by its full id."""
    text = tag.text.lower()
    return text if _COMMIT.fullmatch(text) else None


def _short(name: str) -> str:
    return name.split("/", 2)[-1]


def _written(name: str) -> str:
    return _short(name).replace("/", "--")

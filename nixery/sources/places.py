"""Where nixpkgs is looked up and had from: the public places, or a mirror that stands for all of them."""

import re
from collections.abc import Mapping
from typing import Self

from attrs import frozen

from nixery.fetching.address import shown

# A name that a branch or tag of git can have (man git-check-ref-format), of the characters that an image tag can have
# and "/". So no name leads out of the folder that it is put into.
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_NEVER = re.compile(r"\.\.|\.$|\./|\.lock$|\.lock/")

_ID = re.compile(rb"\s*([0-9a-f]{40})\s*")


@frozen
class Place:
    """A place that says at which commit a ref is, by the commit's id as text.

    `url`: with `{ref}` for the ref. `missing`: the HTTP statuses that mean that it has no such ref.
    """

    url: str
    missing: frozenset[int]
    headers: Mapping[str, str] = {}

    def of(self, ref: str) -> str:
        """The URL for a well-formed ref."""
        return self.url.replace("{ref}", ref)


@frozen
class Places:
    """`revisions` are asked one after another; `tarball`: a URL with `{commit}`. `name`: where this is, for a person.

    A user and password may be in the URLs, and not in the name.
    """

    name: str
    revisions: tuple[Place, ...]
    tarball: str

    @classmethod
    def mirror(cls, url: str) -> Self:
        """A server of files: `<ref>/git-revision`, and `archive/<commit>.tar.gz`."""
        base = url.rstrip("/")
        place = Place(base + "/{ref}/git-revision", frozenset({404}))
        return cls(shown(url.rstrip("/")), (place,), base + "/archive/{commit}.tar.gz")

    def archive(self, commit: str) -> str:
        """The URL of a commit's tarball."""
        return self.tarball.replace("{commit}", commit)


PUBLIC = Places(
    "github.com/NixOS/nixpkgs",
    (
        # S3 says 403 of what it does not have to who may not list it.
        Place("https://channels.nixos.org/{ref}/git-revision", frozenset({403, 404})),
        Place(
            "https://api.github.com/repos/NixOS/nixpkgs/commits/{ref}",  # docs.github.com/rest/commits: Get a commit
            frozenset({404, 422}),
            {"Accept": "application/vnd.github.sha"},
        ),
    ),
    "https://github.com/NixOS/nixpkgs/archive/{commit}.tar.gz",
)


def places_at(mirror: str | None) -> Places:
    """The places that the mirror at a URL stands for; without one, the public ones."""
    return PUBLIC if mirror is None else Places.mirror(mirror)


def refs(text: str) -> tuple[str, ...]:
    """The refs that a tag or setting may mean, the likeliest first: as it is, and with `/` for each `--`."""
    names = dict.fromkeys((text, text.replace("--", "/")))
    return tuple(name for name in names if _NAME.fullmatch(name) and not _NEVER.search(name))


def commit_in(body: bytes) -> str | None:
    """The commit's id that is all there is in an answer."""
    found = _ID.fullmatch(body)
    return found[1].decode() if found else None

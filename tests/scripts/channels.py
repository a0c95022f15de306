"""A server of nixpkgs channels on this machine, for the scripts."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration import channel_server


def tarball(**files: str) -> bytes:
    """A commit with these files; `__` in a name stands for a slash."""
    return channel_server.tarball("nixpkgs-1", files)


TARBALLS = {
    "good": tarball(default="{ }", lib__minver='"2.3"\n'),
    "too-new": tarball(default="{ }", lib__minver='"99.1"\n'),
    "no-minimum": tarball(default="{ }"),
    "odd-minimum": tarball(lib__minver="abort"),
    "no-tarball": b"<html>",
    "cut-off": tarball(default="{ }" * 10_000)[:-20],
}
COMMITS = {name: f"{number:040x}" for number, name in enumerate([*TARBALLS, "gone"])}
"""What each mirror's channel is at."""

PAGES = {
    **{f"/{name}/nixos-unstable/git-revision": f"{commit}\n".encode() for name, commit in COMMITS.items()},
    **{f"/{name}/archive/{COMMITS[name]}.tar.gz": body for name, body in TARBALLS.items()},
    "/no-revision/nixos-unstable/git-revision": b"<html>" * 100_000,
}


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server that runs meanwhile, with a mirror in each folder."""
    with channel_server.serving() as server:
        server.pages |= PAGES
        yield server.url

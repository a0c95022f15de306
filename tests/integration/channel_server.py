"""A mirror of nixpkgs' channels on this machine: revisions and tarballs over HTTP."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import define, field

from tests.loopback import Answering, basic, listening

PACKAGES = Path(__file__).with_name("packages.nix")
LOOP = b"loop"
"""As a page: a redirect to itself."""


@define
class ChannelServer:
    """`pages`: by path, what there is. `requests`: the paths that were asked for. `login`: user and password, if any.

    What is in `silent` is never answered while the server runs.
    """

    login: str | None = None
    pages: dict[str, bytes] = field(factory=dict)
    silent: set[str] = field(factory=set)
    closing: threading.Event = field(factory=threading.Event)
    requests: list[str] = field(factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.login + '@' if self.login else ''}127.0.0.1:{self.port}"

    def revision(self, ref: str, commit: str) -> None:
        """Have a channel, branch or git tag at a commit."""
        self.pages[f"/{ref}/git-revision"] = commit.encode()

    def commit(self, salt: str, **files: str) -> str:
        """A commit with the test packages; gives its id. Files as for `tarball`."""
        commit = hashlib.sha1(f"{salt} {files}".encode()).hexdigest()
        self.pages[archive(commit)] = tarball(f"nixpkgs-{commit}", {"default": PACKAGES.read_text(), **files}, salt)
        return commit


def archive(commit: str) -> str:
    """The path of a commit's tarball."""
    return f"/archive/{commit}.tar.gz"


def tarball(top: str, files: Mapping[str, str], salt: str = "") -> bytes:
    """A package set in a folder; `__` in a file's name stands for a slash, and each is called .nix."""
    written = io.BytesIO()
    contents = {"salt": salt, **{f"{name.replace('__', '/')}.nix": text for name, text in files.items()}}
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, text in contents.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return written.getvalue()


class _Handler(Answering[ChannelServer]):
    def do_GET(self) -> None:
        self.state.requests.append(self.path)
        if self.path in self.state.silent:
            self.state.closing.wait(60)
        page = self.state.pages.get(self.path)
        known = self.state.login is None or self.headers["Authorization"] == basic(self.state.login)
        self.send_response(401 if not known else 404 if page is None else 302 if page is LOOP else 200)
        if page is LOOP:
            self.send_header("Location", self.path)
        self.send_header("Content-Length", str(len(page or b"")))
        self.end_headers()
        self.wfile.write(page or b"")


@contextmanager
def serving(login: str | None = None) -> Iterator[ChannelServer]:
    """A mirror that runs meanwhile."""
    server = ChannelServer(login)
    with listening(partial(_Handler, server)) as server.port:
        try:
            yield server
        finally:
            server.closing.set()

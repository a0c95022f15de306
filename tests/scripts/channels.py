"""A server of nixpkgs channels on this machine, for the scripts."""

import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def tarball(**files: str) -> bytes:
    """A commit with these files; `__` in a name stands for a slash."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"nixpkgs-1/{name.replace('__', '/')}.nix")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return written.getvalue()


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


class Channels(BaseHTTPRequestHandler):
    """A mirror in each folder."""

    def do_GET(self) -> None:
        body = PAGES.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server that runs meanwhile."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Channels) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()

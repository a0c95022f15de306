"""A server of nixpkgs channels on this machine."""

import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def tarball(**files: str) -> bytes:
    """A release with these files; `__` in a name stands for a slash."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:xz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"nixos-26.05/{name.replace('__', '/')}.nix")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return written.getvalue()


RELEASES = {
    "/good": tarball(default="{ }", lib__minver='"2.3"\n'),
    "/too-new": tarball(default="{ }", lib__minver='"99.1"\n'),
    "/no-minimum": tarball(default="{ }"),
    "/odd-minimum": tarball(lib__minver="abort"),
    "/no-tarball": b"<html>",
}


class Channels(BaseHTTPRequestHandler):
    """A channel redirects to its release of the day."""

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_GET(self) -> None:
        self.answer(RELEASES.get(self.path, b""))

    def answer(self, body: bytes) -> None:
        self.send_response(302 if self.path == "/channel" else 200 if self.path in RELEASES else 404)
        self.send_header("Location", "/good")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server that runs meanwhile."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Channels) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()

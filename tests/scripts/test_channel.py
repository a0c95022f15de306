"""scripts/lib/channel.py against a server on this machine."""

import io
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent.parent.parent / "scripts/lib/channel.py"


def tarball(**files: str) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:xz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"nixos-26.05/{name.replace('__', '/')}.nix")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return written.getvalue()


class Channels(BaseHTTPRequestHandler):
    """A channel redirects to its release of the day."""

    releases = {
        "/good": tarball(default="{ }", lib__minver='"2.18"\n'),
        "/no-minimum": tarball(default="{ }"),
        "/odd-minimum": tarball(lib__minver="abort"),
        "/no-tarball": b"<html>",
    }

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_GET(self) -> None:
        self.answer(self.releases.get(self.path, b""))

    def answer(self, body: bytes) -> None:
        known = self.path in self.releases
        self.send_response(302 if self.path == "/channel" else 200 if known else 404)
        self.send_header("Location", "/good")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Channels) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def ask(url: str, nix: str = "nix-store (Nix) 2.26.3") -> tuple[int, str]:
    done = subprocess.run([sys.executable, PROGRAM, url, nix], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("nix", ["nix-store (Nix) 2.18.0", "nix-store (Nix) 2.26.3", "nix-store (Lix) 3.0"])
def test_a_channel_is_told_by_the_release_that_it_redirects_to(server: str, nix: str) -> None:
    assert ask(f"{server}/channel", nix) == (0, f"{server}/good\n")


def test_a_nix_that_is_too_old_is_named_with_what_is_needed(server: str) -> None:
    status, said = ask(f"{server}/channel", "nix-store (Nix) 2.8.0")
    assert status == 1
    assert said == f"{server}/channel needs Nix 2.18 or newer, and this is 2.8.0\n"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere", "404"),
        ("/no-minimum", "lib/minver.nix"),
        ("/odd-minimum", "no version number"),
        ("/no-tarball", "cannot be read"),
    ],
)
def test_what_is_no_channel_is_one_line_that_says_why(server: str, path: str, words: str) -> None:
    status, said = ask(server + path)
    assert status == 1
    assert words in said
    assert said.count("\n") == 1


def test_a_server_that_is_not_there_is_one_line_too() -> None:
    status, said = ask("http://127.0.0.1:9/channel")
    assert status == 1
    assert "Connection refused" in said

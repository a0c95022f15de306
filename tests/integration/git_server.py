"""A git repository of the test's own, and servers for it: HTTP with git http-backend, and SSH with sshd."""

import base64
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attrs import define, field, frozen

IDENTITY = {
    **{"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_NOSYSTEM": "1"},
    **{"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"},
}
PASSWORD = "s3cret-word"
_PASSED = {"Content-Type": "CONTENT_TYPE", "Content-Encoding": "HTTP_CONTENT_ENCODING", "Git-Protocol": "GIT_PROTOCOL"}


@frozen
class Upstream:
    """A repository whose package set has one package, `salt`."""

    folder: Path

    def git(self, *arguments: str) -> str:
        environment = os.environ | IDENTITY
        command = ("git", "-C", str(self.folder), *arguments)
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, salt: str) -> str:
        """A new commit on the current branch; gives its id."""
        (self.folder / "default.nix").write_text(
            "{ system }: { salt = derivation { name = "
            f'"salt-{salt}"; inherit system; builder = "/bin/sh"; args = [ "-c" "echo {salt} > $out" ]; }}; }}\n'
        )
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", salt)
        return self.git("rev-parse", "HEAD")


def upstream(folder: Path) -> Upstream:
    """A repository with one commit on main."""
    folder.mkdir(parents=True)
    made = Upstream(folder)
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit("first")
    return made


@define
class GitServer:
    """An HTTP server; `requests` are the paths that were asked for, `modern` whether it speaks protocol version 2."""

    root: Path
    login: str | None = None
    modern: bool = True
    silent: threading.Event | None = None
    requests: list[str] = field(factory=list)
    port: int = 0

    def url(self, path: str, login: str = "") -> str:
        return f"http://{login}127.0.0.1:{self.port}/{path}"


def _handler(server: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request, given to git http-backend (man git-http-backend)."""

        def do_GET(self) -> None:
            server.requests.append(self.path)
            if server.silent is not None:
                server.silent.wait(60)
            elif server.login is not None and self.headers["Authorization"] != _basic(server.login):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._answer()

        def do_POST(self) -> None:
            self.do_GET()

        def _answer(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            given = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command}
            passed = {name: self.headers[header] for header, name in _PASSED.items() if header in self.headers}
            if not server.modern:
                passed.pop("GIT_PROTOCOL", None)
            fixed = {"GIT_PROJECT_ROOT": str(server.root), "GIT_HTTP_EXPORT_ALL": "1", "CONTENT_LENGTH": str(len(body))}
            environment = os.environ | IDENTITY | given | passed | fixed
            answer = subprocess.run(("git", "http-backend"), input=body, env=environment, capture_output=True).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200")[:3]))
            for name, text in headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None: ...

    return Handler


def _basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


@contextmanager
def serving(server: GitServer) -> Iterator[GitServer]:
    """The server, on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(server)) as http:
        server.port = http.server_port
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            if server.silent is not None:
                server.silent.set()
            http.shutdown()
            thread.join()


@frozen
class Ssh:
    """A running sshd, and the command by which git reaches it: with the key that it knows, or another."""

    port: int
    right: str
    wrong: str

    def url(self, path: Path) -> str:
        return f"ssh://{os.environ.get('USER', 'root')}@127.0.0.1:{self.port}{path}"


@contextmanager
def sshd(folder: Path) -> Iterator[Ssh]:
    """Debian's openssh-server on a port of its own, with keys of its own."""
    folder.mkdir()
    for name in ("host", "right", "wrong"):
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)), check=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    lines = {
        **{
            "ListenAddress": f"127.0.0.1:{port}",
            "HostKey": folder / "host",
            "AuthorizedKeysFile": folder / "right.pub",
        },
        **{"PidFile": "none", "StrictModes": "no", "UsePAM": "no", "PermitRootLogin": "yes"},
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it as root; without systemd nobody has made it
    program = shutil.which("sshd")
    assert program is not None
    with subprocess.Popen((program, "-D", "-e", "-f", folder / "config"), stderr=subprocess.PIPE, text=True) as daemon:
        try:
            assert daemon.stderr is not None
            assert "listening" in daemon.stderr.readline()
            yield Ssh(port, _ssh(folder, "right"), _ssh(folder, "wrong"))
        finally:
            daemon.terminate()


def _ssh(folder: Path, key: str) -> str:
    options = f"-o IdentitiesOnly=yes -o IdentityAgent=none -o UserKnownHostsFile={folder / 'known'}"
    return f"ssh -F none -i {folder / key} {options}"

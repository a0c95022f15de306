"""A server of git repositories over HTTP, with git http-backend."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import define, field

from tests.integration.git_repository import IDENTITY
from tests.loopback import Answering, basic, listening

_PASSED = {"Content-Type": "CONTENT_TYPE", "Content-Encoding": "HTTP_CONTENT_ENCODING", "Git-Protocol": "GIT_PROTOCOL"}


@define
class GitServer:
    """An HTTP server; `requests` are the paths that were asked for, `modern` whether it speaks protocol version 2.

    `silent`: nothing is answered until this is set.
    """

    root: Path
    login: str | None = None
    modern: bool = True
    silent: threading.Event | None = None
    requests: list[str] = field(factory=list)
    port: int = 0

    def url(self, path: str, login: str = "") -> str:
        return f"http://{login}127.0.0.1:{self.port}/{path}"


class _Handler(Answering[GitServer]):
    """One request, given to git http-backend (man git-http-backend), which is a CGI program (RFC 3875)."""

    def do_GET(self) -> None:
        self.state.requests.append(self.path)
        login = self.state.login
        if self.state.silent is not None:
            self.state.silent.wait(60)
        elif login is not None and self.headers["Authorization"] != basic(login):
            self._refuse()
        else:
            self._answer()

    do_POST = do_GET

    def _refuse(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        environment = os.environ | IDENTITY | self._described(len(body))
        answer = subprocess.run(("git", "http-backend"), input=body, env=environment, capture_output=True).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        self._send(dict(line.split(": ", 1) for line in head.decode().split("\r\n")), content)

    def _described(self, length: int) -> dict[str, str]:
        """The request, as environment variables."""
        path, _, query = self.path.partition("?")
        given = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command}
        passed = {name: self.headers[header] for header, name in _PASSED.items() if header in self.headers}
        if not self.state.modern:
            passed.pop("GIT_PROTOCOL", None)
        fixed = {"GIT_PROJECT_ROOT": str(self.state.root), "GIT_HTTP_EXPORT_ALL": "1", "CONTENT_LENGTH": str(length)}
        return given | passed | fixed

    def _send(self, headers: dict[str, str], content: bytes) -> None:
        self.send_response(int(headers.pop("Status", "200")[:3]))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(server: GitServer) -> Iterator[GitServer]:
    """The server, on a port of its own."""
    with listening(partial(_Handler, server)) as server.port:
        try:
            yield server
        finally:
            if server.silent is not None:
                server.silent.set()

"""A proxy on this host before a server on this host: what it passes on, and the answer that comes back."""

import http.client
from collections.abc import Mapping

from tests.loopback import Answering, State

HOP = {"connection", "transfer-encoding", "server", "date", "content-length", "expect"}
"""Headers of one connection, and those that each server writes itself."""

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""


class Passing(Answering[State]):
    """Passes requests on. The Host header goes along, as it is part of what is signed."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self) -> bytes:
        """The request's."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def passed(self, port: int, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the server on that port answers."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        kept = {name: text for name, text in headers.items() if name.lower() not in HOP}
        connection.request(method, target, body or None, kept)
        answer = connection.getresponse()
        received = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return received

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Pass an answer back."""
        self.send_response(status)
        for name, text in headers.items():
            if name.lower() not in HOP:
                self.send_header(name, text)
        if status != 204:
            self.send_header("Content-Length", headers.get("Content-Length", "0") if not body else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

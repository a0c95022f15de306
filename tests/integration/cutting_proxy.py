"""A proxy before a registry that cuts the connection once, amid a large blob, and notes what is asked next."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from attrs import define, field

from tests.loopback import Answering, listening

LARGE = 10_000_000
"""Bytes of a blob that is cut."""

_STEP = 65536
_HOP = {"connection", "host", "transfer-encoding", "server", "date"}


@define
class Cuts:
    """What the clients asked of the blob that was cut: the Range header of each request, None where there was none."""

    port: int = 0
    path: str = ""
    ranges: list[str | None] = field(factory=list)
    lock: threading.Lock = field(factory=threading.Lock)

    def due(self, path: str, range: str | None, length: int) -> bool:
        """Note the request; whether this is the one to cut."""
        with self.lock:
            first = not self.path and length >= LARGE
            if first:
                self.path = path
            if path == self.path:
                self.ranges.append(range)
            return first


@contextmanager
def cutting(port: int) -> Iterator[Cuts]:
    """A running proxy before the registry on this port of 127.0.0.1."""
    cuts = Cuts()
    with listening(partial(_Handler, cuts, port)) as cuts.port:
        yield cuts


class _Handler(Answering[Cuts]):
    protocol_version = "HTTP/1.1"

    def __init__(self, cuts: Cuts, upstream: int, *arguments: object) -> None:
        self._upstream = upstream
        super().__init__(cuts, *arguments)

    def do_GET(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._upstream, timeout=120)
        headers = {name: text for name, text in self.headers.items() if name.lower() not in _HOP}
        connection.request(self.command, self.path, headers=headers)
        self._relay(connection.getresponse())
        connection.close()

    do_HEAD = do_GET

    def _relay(self, answer: http.client.HTTPResponse) -> None:
        length = int(answer.headers.get("Content-Length", 0)) if self.command == "GET" else 0
        self.send_response(answer.status, answer.reason)
        for name, text in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, text)
        self.end_headers()
        if self.state.due(self.path, self.headers.get("Range"), length):
            length //= 2
            self.close_connection = True
        self._copy(answer, length)

    def _copy(self, answer: http.client.HTTPResponse, length: int) -> None:
        out: BinaryIO = self.wfile  # type: ignore[assignment]  # a buffered writer of the standard library's
        while length > 0 and (data := answer.read(min(_STEP, length))):
            out.write(data)
            length -= len(data)

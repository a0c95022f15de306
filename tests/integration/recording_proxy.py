"""A proxy before a server that notes what it is asked, and how that is answered; signatures stay good."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from attrs import define, field, frozen

from tests.loopback import Answering, listening

_HOP = {"connection", "transfer-encoding", "server", "date", "content-length", "expect"}


@frozen
class Passed:
    """A request and its answer. `target`: path and query, as they were sent; `part`: the Range header."""

    method: str
    target: str
    part: str | None
    status: int

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def wrote(self) -> bool:
        """Whether an object of S3's is there from now on: by one PUT, or by the last request of several parts."""
        query = self.target.partition("?")[2]
        at_once = self.method == "PUT" and "partNumber=" not in query
        return self.status == 200 and (at_once or (self.method == "POST" and query.startswith("uploadId=")))


@define
class Record:
    """What has passed, in the order of the answers. `port`: of the proxy."""

    upstream: int
    port: int = 0
    passed: list[Passed] = field(factory=list)
    lock: threading.Lock = field(factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def written(self, folder: str) -> list[str]:
        """The last words of the objects in a folder, one for each time that they were written."""
        with self.lock:
            paths = [one.path for one in self.passed if one.wrote]
        return [path.rpartition("/")[2] for path in paths if f"/{folder}/" in path]


@contextmanager
def recording(upstream: int) -> Iterator[Record]:
    """A proxy that runs meanwhile, before the server on that port of 127.0.0.1."""
    record = Record(upstream)
    with listening(partial(_Handler, record)) as record.port:
        yield record


class _Handler(Answering[Record]):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # The Host header too: it is part of what is signed.
        kept = {name: text for name, text in self.headers.items() if name.lower() not in _HOP}
        connection = http.client.HTTPConnection("127.0.0.1", self.state.upstream, timeout=120)
        connection.request(self.command, self.path, body or None, kept)
        self._relay(connection.getresponse())
        connection.close()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def _relay(self, answer: http.client.HTTPResponse) -> None:
        body = answer.read()
        with self.state.lock:
            self.state.passed.append(Passed(self.command, self.path, self.headers.get("Range"), answer.status))
        self.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, text)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        if answer.status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)

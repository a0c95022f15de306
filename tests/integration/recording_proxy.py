"""A proxy before a server that notes what it is asked, and how that is answered; signatures stay good."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from attrs import define, field, frozen

from tests.integration.passing import Passing
from tests.loopback import listening


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


class _Handler(Passing[Record]):
    def do_GET(self) -> None:
        answer = self.passed(self.state.upstream, self.command, self.path, dict(self.headers.items()), self.body())
        with self.state.lock:
            self.state.passed.append(Passed(self.command, self.path, self.headers.get("Range"), answer[0]))
        self.answer(*answer)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

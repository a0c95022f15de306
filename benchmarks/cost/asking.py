"""A client that checks each answer, and what a daemon's own process takes meanwhile."""

import hashlib
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from urllib.parse import urlsplit

from attrs import frozen

from benchmarks.report import WrongResult
from benchmarks.results import OCI, expect


@frozen
class Client:
    """Asks over connections that are kept, in turns."""

    connections: Iterator[http.client.HTTPConnection]

    def get(self, path: str) -> bytes:
        """The body; raises WrongResult for any status but 200."""
        connection = next(self.connections)
        connection.request("GET", path, headers={"Accept": OCI})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise WrongResult(f"{path} was answered {answer.status}: {body[:500]!r}")
        return body

    def expect(self, path: str, digest: str) -> None:
        """Ask for a manifest; raises WrongResult for another than that with this digest."""
        expect(digest_of(self.get(path)), digest, path)

    def count(self, path: str, member: str, number: int) -> None:
        """Ask for JSON; raises WrongResult where it has not so many different `member`."""
        found: Mapping[str, list[str]] = json.loads(self.get(path))
        expect(len(set(found[member])), number, f"{member} of {path}")


@contextmanager
def asking(root: str, connections: int = 1) -> Iterator[Client]:
    """A client of the server at that URL."""
    opened = [http.client.HTTPConnection(urlsplit(root).netloc) for _ in range(connections)]
    try:
        yield Client(cycle(opened))
    finally:
        for connection in opened:
            connection.close()


def digest_of(body: bytes) -> str:
    """As registries write it."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def spent(pid: int, ask: Callable[[], object]) -> float:
    """The CPU seconds that a process takes while something is asked of it."""
    before = own_cpu(pid)
    ask()
    return own_cpu(pid) - before


def own_cpu(pid: int) -> float:
    """The CPU seconds of a process, without its children, by its clock, which counts nanoseconds.

    The clock's number is what clock_getcpuclockid(3) gives, which Python does not have.
    """
    return time.clock_gettime(~pid << 3 | 2)

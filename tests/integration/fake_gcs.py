"""Google Cloud Storage without Google: fake-gcs-server, on a port of its own, with everything in its memory."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.go_server import free_port, started

SECONDS = 20.0


@contextmanager
def fake_gcs(*buckets: str) -> Iterator[int]:
    """The port of a server on 127.0.0.1 that runs meanwhile, with these buckets."""
    port = free_port()
    listen = ("-scheme", "http", "-host", "127.0.0.1", "-port", str(port))
    quiet = ("-backend", "memory", "-public-host", "127.0.0.1", "-log-level", "error")
    with started(("fake-gcs-server", *listen, *quiet), port):
        for bucket in buckets:
            make_bucket(port, bucket)
        yield port


def make_bucket(port: int, name: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("POST", "/storage/v1/b", json.dumps({"name": name}), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()

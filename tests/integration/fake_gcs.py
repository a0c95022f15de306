"""Google Cloud Storage without Google: fake-gcs-server, on a port of its own, with everything in its memory."""

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 20.0


@contextmanager
def fake_gcs(*buckets: str) -> Iterator[int]:
    """The port of a server on 127.0.0.1 that runs meanwhile, with these buckets."""
    port = _free_port()
    listen = ("-scheme", "http", "-host", "127.0.0.1", "-port", str(port))
    quiet = ("-backend", "memory", "-public-host", "127.0.0.1", "-log-level", "error")
    with subprocess.Popen(("fake-gcs-server", *listen, *quiet)) as server:
        try:
            _wait(port)
            for bucket in buckets:
                make_bucket(port, bucket)
            yield port
        finally:
            server.terminate()


def make_bucket(port: int, name: str) -> None:
    _asked(port, "POST", "/storage/v1/b", json.dumps({"name": name}))


def _wait(port: int) -> None:
    """Return when it listens: it says nothing then that is to be relied on."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return _asked(port, "GET", "/_internal/healthcheck", None)
        except ConnectionRefusedError:
            assert time.monotonic() < end, "fake-gcs-server does not listen"
            time.sleep(0.02)


def _asked(port: int, method: str, path: str, body: str | None) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port

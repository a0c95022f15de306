"""Servers as tests start them: each on a port of its own on 127.0.0.1, until the test has ended."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress


@contextmanager
def started(command: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """A server that runs meanwhile, and listens on that port. `environment`: beside the test's own."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=quiet, stderr=quiet) as process:
        try:
            _await(process, port)
            yield
        finally:
            process.terminate()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    """Try it until it listens or has ended."""
    for _ in range(1000):
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"{process.args!r} ended with status {process.wait(0.02)}")
    raise AssertionError(f"{process.args!r} does not listen on port {port}")

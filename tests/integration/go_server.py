"""Servers as tests start them: each on a port of its own on 127.0.0.1, until the test has ended."""

import os
import random
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


_PORTS = iter(random.sample(range(15_000, 32_000), 17_000))
"""In no order that other processes go by, and below those that the system gives to whoever asks for any."""


def free_port() -> int:
    """A port on which nobody listens, and that was not given before: servers start side by side."""
    for port in _PORTS:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("all ports are taken")


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    """Try it until it listens or has ended."""
    for _ in range(1000):
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"{process.args!r} ended with status {process.wait(0.02)}")
    raise AssertionError(f"{process.args!r} does not listen on port {port}")

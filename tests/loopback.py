"""HTTP servers on 127.0.0.1, in threads: for daemons and programs that run in processes of their own."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, TypeVar

State = TypeVar("State")


class Answering(BaseHTTPRequestHandler, Generic[State]):
    """Answers by what the test steers (`state`), and logs nothing. It comes first among the bases of a class."""

    def __init__(self, state: State, *arguments: Any, **more: Any) -> None:
        self.state = state
        super().__init__(*arguments, **more)

    def log_message(self, format: str, *arguments: object) -> None: ...


@contextmanager
def listening(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port of a server that runs meanwhile. `handler`: called for each connection with what http.server gives."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield http.server_port
        finally:
            http.shutdown()
            thread.join()


def basic(login: str) -> str:
    """The Authorization of a user and password with a colon between (RFC 7617)."""
    return "Basic " + base64.b64encode(login.encode()).decode()

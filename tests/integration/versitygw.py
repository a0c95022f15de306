"""An S3-compatible server, versitygw, on a folder; and a proxy before it that leaves preconditions out."""

import http.client
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from attrs import frozen
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.loopback import Answering, listening

KEY, SECRET = "test-access-key", "test-secret-key"  # the only pair that it knows
REGION = "us-east-1"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""How a daemon comes by its credentials, and by no others."""

_HOP = {"connection", "host", "transfer-encoding", "server", "date", "authorization", "expect", "content-length"}


@frozen
class Gateway:
    """A running server, and the folder with its buckets."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, name: str) -> dict[str, str]:
        """The settings of a backend whose bucket is there from now on."""
        (self.folder / name).mkdir(exist_ok=True)
        return {"S3_BUCKET": name, "S3_ENDPOINT": self.url}


@contextmanager
def serving(folder: Path) -> Iterator[Gateway]:
    """A server that runs meanwhile; `folder`: for what it keeps, in a file system with extended attributes."""
    root = folder / "objects"
    root.mkdir(parents=True)
    port = _free_port()
    command = ("versitygw", "--port", f"127.0.0.1:{port}", "--quiet", "--keep-alive", "posix", str(root))
    environment = os.environ | {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as process:
        try:
            _await(process, port)
            yield Gateway(root, port)
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    """It says that it listens before it does: so it is tried, until it answers or has ended."""
    for _ in range(1000):
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"versitygw ended with status {process.wait(0.01)}")
    raise AssertionError("versitygw does not listen")


@frozen
class Careless:
    """What a server is that does not know some headers. `dropped`: their names in lower case."""

    upstream: int
    dropped: frozenset[str]


class _Handler(Answering[Careless]):
    """Passes requests on without those headers, signed anew (they are part of what is signed)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        left_out = _HOP | self.state.dropped
        kept = {name: text for name, text in self.headers.items() if name.lower() not in left_out}
        request = AWSRequest(self.command, f"http://127.0.0.1:{self.state.upstream}{self.path}", kept, body)
        S3SigV4Auth(Credentials(KEY, SECRET), "s3", REGION).add_auth(request)
        connection = http.client.HTTPConnection("127.0.0.1", self.state.upstream, timeout=20)
        connection.request(self.command, self.path, body, dict(request.headers.items()))
        self._relay(connection.getresponse())
        connection.close()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def _relay(self, answer: http.client.HTTPResponse) -> None:
        body = answer.read()
        self.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, text)
        self.send_header("Content-Length", answer.getheader("Content-Length", "0") if not body else str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def ignoring(gateway: Gateway, *headers: str) -> Iterator[str]:
    """The URL of the same server, as one that does not know these headers."""
    careless = Careless(gateway.port, frozenset(headers))
    with listening(partial(_Handler, careless)) as port:
        yield f"http://127.0.0.1:{port}"

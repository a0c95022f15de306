"""An S3-compatible server, versitygw, on a folder; and a proxy before it that leaves preconditions out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import frozen
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.integration.go_server import free_port, started
from tests.integration.passing import HOP, Passing
from tests.loopback import listening

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
    port = free_port()
    command = ("versitygw", "--port", f"127.0.0.1:{port}", "--quiet", "--keep-alive", "posix", str(root))
    with started(command, port, {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}):
        yield Gateway(root, port)


@frozen
class Careless:
    """What a server is that does not know some headers. `dropped`: their names in lower case."""

    upstream: int
    dropped: frozenset[str]


class _Handler(Passing[Careless]):
    """Passes requests on without those headers, signed anew (they are part of what is signed)."""

    def do_GET(self) -> None:
        body = self.body()
        left_out = HOP | {"host", "authorization"} | self.state.dropped
        kept = {name: text for name, text in self.headers.items() if name.lower() not in left_out}
        request = AWSRequest(self.command, f"http://127.0.0.1:{self.state.upstream}{self.path}", kept, body)
        S3SigV4Auth(Credentials(KEY, SECRET), "s3", REGION).add_auth(request)
        headers = dict(request.headers.items())
        self.answer(*self.passed(self.state.upstream, self.command, self.path, headers, body))

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET


@contextmanager
def ignoring(gateway: Gateway, *headers: str) -> Iterator[str]:
    """The URL of the same server, as one that does not know these headers."""
    careless = Careless(gateway.port, frozenset(headers))
    with listening(partial(_Handler, careless)) as port:
        yield f"http://127.0.0.1:{port}"

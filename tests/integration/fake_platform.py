"""What Google's platform gives to what runs there: a metadata server that says who it is, and IAM to sign for it.

https://cloud.google.com/compute/docs/metadata/overview and
https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from attrs import define, field
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.loopback import Answering, listening
from tests.storage.google_account import EMAIL, key

_TOKEN = "ya29.of-the-tests"
_DESCRIBED = "/computeMetadata/v1/instance/service-accounts/default/"
_SIGN = "/v1/projects/-/serviceAccounts/{}:signBlob"


@define
class Platform:
    """`allowed`: whether the account may sign; `signed`: how often it did."""

    allowed: bool = True
    signed: int = 0
    port: int = 0
    requests: list[str] = field(factory=list)


@contextmanager
def platform(patch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A platform on which this process runs meanwhile, as google-auth finds it."""
    state = Platform()
    with listening(partial(_Handler, state)) as state.port:
        host = f"127.0.0.1:{state.port}"
        patch.setenv("GCE_METADATA_IP", host)
        patch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        patch.setenv("CLOUDSDK_CONFIG", "/nowhere")
        patch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", host)
        patch.setattr("google.auth.iam._IAM_SIGN_ENDPOINT", f"http://{host}{_SIGN}")
        yield state


class _Handler(Answering[Platform]):
    def do_GET(self) -> None:
        self.state.requests.append(self.path)
        path = self.path.partition("?")[0]
        if path == "/":
            self._answer(200, {})
        elif path == _DESCRIBED:
            self._answer(200, {"email": EMAIL, "scopes": [], "aliases": ["default"]})
        elif path == f"{_DESCRIBED}token":
            self._answer(200, {"access_token": _TOKEN, "expires_in": 3600, "token_type": "Bearer"})
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        self.state.requests.append(self.path)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        right = self.path == _SIGN.format(EMAIL) and self.headers["Authorization"] == f"Bearer {_TOKEN}"
        if not right or not self.state.allowed:
            self._answer(403, {"error": {"code": 403, "status": "PERMISSION_DENIED"}})
            return
        self.state.signed += 1
        signature = key().sign(base64.b64decode(asked["payload"]), PKCS1v15(), SHA256())
        self._answer(200, {"keyId": "0", "signedBlob": base64.b64encode(signature).decode()})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

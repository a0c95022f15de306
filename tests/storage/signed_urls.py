"""A verifier of V4 signed URLs, which no emulator of Google Cloud Storage has, as Google documents them.

https://cloud.google.com/storage/docs/authentication/canonical-requests and .../signatures; a URL's own parameters:
https://cloud.google.com/storage/docs/authentication/signatures#query-parameters.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from attrs import frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

_ALGORITHM = "GOOG4-RSA-SHA256"
_WEEK = 7 * 24 * 3600
_AHEAD = timedelta(minutes=15)
_CREDENTIAL = re.compile(r"([^/]+)/((\d{8})/[a-z0-9-]+/storage/goog4_request)")


@frozen
class Asked:
    """A request as it came. `target`: path and query, as they were sent; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


def canonical_request(asked: Asked) -> str:
    """What is hashed of a request."""
    parameters = asked.parameters
    names = parameters.get("X-Goog-SignedHeaders", "").split(";")
    headers = {name: " ".join(asked.headers.get(name, "").split()) for name in names}
    return "\n".join(
        (
            asked.method,
            asked.path,
            "&".join(f"{_encoded(name)}={_encoded(parameters[name])}" for name in _signed(parameters)),
            *(f"{name}:{text}" for name, text in sorted(headers.items())),
            "",
            ";".join(sorted(names)),
            headers.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD"),
        )
    )


def string_to_sign(asked: Asked, scope: str) -> str:
    """What is signed of a request."""
    digest = hashlib.sha256(canonical_request(asked).encode()).hexdigest()
    return "\n".join((_ALGORITHM, asked.parameters["X-Goog-Date"], scope, digest))


def refusal(asked: Asked, email: str, key: RSAPublicKey, now: datetime) -> str | None:
    """Why Google would answer 403, or None. `email`: of the service account that has the key."""
    parameters = asked.parameters
    credential = _CREDENTIAL.fullmatch(parameters.get("X-Goog-Credential", ""))
    if parameters.get("X-Goog-Algorithm") != _ALGORITHM or credential is None or credential[1] != email:
        return "not signed by this account"
    if "host" not in parameters.get("X-Goog-SignedHeaders", "").split(";"):
        return "the host is not signed"
    if not _timely(parameters, credential[3], now):
        return "not at this time"
    try:
        signature = bytes.fromhex(parameters.get("X-Goog-Signature", ""))
        key.verify(signature, string_to_sign(asked, credential[2]).encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return "the signature is of another request"
    return None


def _timely(parameters: Mapping[str, str], day: str, now: datetime) -> bool:
    text, seconds = parameters.get("X-Goog-Date", ""), parameters.get("X-Goog-Expires", "")
    if re.fullmatch(r"\d{8}T\d{6}Z", text) is None or not text.startswith(day) or not seconds.isdigit():
        return False
    begun = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return int(seconds) <= _WEEK and begun - _AHEAD <= now < begun + timedelta(seconds=int(seconds))


def _signed(parameters: Mapping[str, str]) -> list[str]:
    return sorted(name for name in parameters if name != "X-Goog-Signature")


def _encoded(text: str) -> str:
    return quote(text, safe="~")

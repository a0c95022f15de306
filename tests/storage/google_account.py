"""A service account of Google Cloud's that exists in tests alone: its key, and the file that holds it."""

import json
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

EMAIL = "nixery@tests.iam.gserviceaccount.com"


@cache
def key() -> RSAPrivateKey:
    """The account's key, the same for all tests of a run."""
    return generate_private_key(65537, 2048)


def key_file(folder: Path) -> Path:
    """What GOOGLE_APPLICATION_CREDENTIALS names: https://cloud.google.com/iam/docs/keys-create-delete."""
    pem = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    path = folder / "account.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "tests",
                "private_key_id": "0",
                "private_key": pem,
                "client_email": EMAIL,
                "token_uri": "http://127.0.0.1:9/token",
            }
        )
    )
    return path

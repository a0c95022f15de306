"""Who signs the links to objects of Google Cloud Storage."""

from collections.abc import Callable, Mapping

from google.auth import iam
from google.auth.credentials import Credentials, Signing
from google.auth.crypt import Signer
from google.auth.exceptions import GoogleAuthError

from nixery.errors import ConfigError
from nixery.storage.gcs_account import request

PUBLIC = "public"
_WAYS = ("key", "iam", PUBLIC)


def way(settings: Mapping[str, str]) -> str:
    """What GCS_SIGN says: by default the key, where credentials are given, and nobody, where they are the platform's.

    Raises ConfigError.
    """
    given = settings.get("GOOGLE_APPLICATION_CREDENTIALS")
    said = settings.get("GCS_SIGN") or ("key" if given else PUBLIC)
    if said not in _WAYS:
        raise ConfigError(f"GCS_SIGN is {said[:200]!r}; it may be one of: {', '.join(_WAYS)}")
    return said


def signer(way: str, account: Credentials) -> Signing | None:
    """Who signs in that way; raises ConfigError where it cannot be done."""
    if way == PUBLIC:
        return None
    if way == "iam":
        return _by_iam(account)
    if not isinstance(account, Signing):
        raise ConfigError("there is no key in these credentials to sign links with: set GCS_SIGN to iam or to public")
    return account


def _by_iam(account: Credentials) -> Signing:
    """One that has signed something; raises ConfigError where it may not."""
    ask = request()
    try:
        account.refresh(ask)
        signer = ByIam(account, ask)
        signer.sign_bytes(b"")
    except GoogleAuthError:
        raise ConfigError(
            "GCS_SIGN is iam, and nothing was signed: what runs here has to be a service account, "
            "with the role Service Account Token Creator on itself"
        ) from None
    return signer


class ByIam(Signing):
    """Signs as a service account whose key only Google has, by signBlob of its IAM Credentials API."""

    def __init__(self, account: Credentials, request: Callable[..., object]) -> None:
        self._email: str = getattr(account, "service_account_email", None) or ""
        self._signer = iam.Signer(request, account, self._email)

    @property
    def signer(self) -> Signer:
        """See Signing."""
        return self._signer

    @property
    def signer_email(self) -> str:
        """See Signing."""
        return self._email

    def sign_bytes(self, message: bytes) -> bytes:
        """See Signing; blocks for a request."""
        signature: bytes = self._signer.sign(message)
        return signature

"""Who we are at Google Cloud, and the connections by which we ask."""

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import google.auth
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession, Request
from requests import Session
from requests.adapters import HTTPAdapter

from nixery.errors import ConfigError
from nixery.storage.bucket import CALLS

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
"""What tokens are good for: what the account may do is said by its roles."""

_TOKEN_SECONDS = 10
"""For a request for a token or a signature."""

SomeSession = TypeVar("SomeSession", bound=Session)


def account(settings: Mapping[str, str], needless: bool, read_only: bool) -> Credentials:
    """Whom the settings name, else whom the platform does; raises ConfigError.

    Nobody in particular where no account is needed, or where there is none and a bucket that is open to all is enough
    (`read_only`).
    """
    path = settings.get("GOOGLE_APPLICATION_CREDENTIALS")
    if path:
        return _account_in(path)
    if needless:
        return AnonymousCredentials()
    try:
        return google.auth.default(scopes=_SCOPES)[0]
    except GoogleAuthError:
        if read_only:
            return AnonymousCredentials()
    raise ConfigError(
        "there is no account for Google Cloud Storage: set GOOGLE_APPLICATION_CREDENTIALS to a service account's file, "
        "or run where the platform gives one"
    )


def _account_in(path: str) -> Credentials:
    try:
        with warnings.catch_warnings():
            # What it warns of is files that others than the operator wrote.
            warnings.simplefilter("ignore", DeprecationWarning)
            account: Credentials = google.auth.load_credentials_from_file(path, scopes=_SCOPES)[0]
    except (GoogleAuthError, OSError, ValueError, AttributeError, TypeError):  # it looks at nothing beforehand
        raise ConfigError(
            f"GOOGLE_APPLICATION_CREDENTIALS is {path[:200]!r}, which is not a file of Google Cloud's credentials "
            "that can be read"
        ) from None
    return account


def session(account: Credentials) -> Session:
    """What all threads ask through as that account."""
    return _pooled(AuthorizedSession(account, refresh_timeout=_TOKEN_SECONDS, auth_request=Request(_pooled(Session()))))


def request() -> Callable[..., object]:
    """What asks for tokens and signatures."""
    return partial(Request(_pooled(Session())), timeout=_TOKEN_SECONDS)


def _pooled(session: SomeSession) -> SomeSession:
    """Let a session keep a connection for each thread; it tries nothing again itself."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=CALLS))
    return session

"""What goes wrong with Google Cloud Storage, as BucketErrors: in words of our own, since the library's hold URLs."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError, RetryError
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.exceptions import RequestException, Timeout
from urllib3.exceptions import HTTPError, TimeoutError

from nixery.storage.bucket import BucketError
from nixery.storage.tracebacks import causes, emptied, empty

_RAISED = (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, HTTPError, OSError, ValueError)
"""All that the library lets through, its own and what it stands on; a RequestException is an OSError."""

_STATUSES = {
    401: "the credentials are refused (401): correct GOOGLE_APPLICATION_CREDENTIALS",
    403: "that is not allowed (403): give the account the role Storage Object User on the bucket",
    404: "there is no such bucket (404): make it, or correct GCS_BUCKET",
    408: "it waited too long for us (408)",
    429: "too much is asked of it (429)",
}


@contextmanager
def failures(doing: str) -> Iterator[None]:
    """Raise as BucketError what the library raises meanwhile. `doing`: what is done, such as `reading layers/…`."""
    try:
        with emptied():
            yield
    except _RAISED as error:
        why, passing = _why(error)
        raise BucketError(f"{doing}: {why}", passing) from None


def again(error: Exception) -> bool:
    """Whether the library sends a part of an upload again after that error, which holds no part from now on."""
    empty(error)
    return bool(DEFAULT_RETRY._predicate(error))


def _why(error: BaseException) -> tuple[str, bool]:
    """What went wrong, and whether trying again may help."""
    match error:
        case RetryError(cause=BaseException() as cause):
            return _why(cause)
        case GoogleAPICallError(code=int() as status):
            return _of_status(int(status), str(error))
        case InvalidResponse(response=response):
            return _of_status(response.status_code, "")
        case DataCorruption():
            return "what came is not what was sent", True
        case RefreshError(__cause__=TransportError()):
            return "the platform gave no token", True
        case RefreshError():
            return "the credentials were not renewed: they may have been withdrawn", error.retryable
        case TransportError(__cause__=None):
            return "the platform gave no signature, or no token", True
        case GoogleAuthError() if not isinstance(error, TransportError):
            return "there are no credentials that it takes: correct GOOGLE_APPLICATION_CREDENTIALS", error.retryable
        case Timeout() | TimeoutError():
            return "no answer in time", True
        case RequestException() if isinstance(error, ValueError):
            return "what answers is not Google Cloud Storage, or the address is not a URL", False
        case ValueError():
            return "what it answered was not to be expected", True
    return _of_system(error)


def _of_status(status: int, message: str) -> tuple[str, bool]:
    """Why, by what HTTP calls it. A wrong checksum is 400 (JSON API, objects: insert)."""
    if status == 400 and "crc32c" in message.lower():
        return "what arrived is not what was sent (400)", True
    passing = status in (408, 429) or status >= 500
    return _STATUSES.get(status, f"it answered with status {status}"), passing


def _of_system(error: BaseException) -> tuple[str, bool]:
    """Why, in the system's words where it has some, which name no URL."""
    files = isinstance(error, OSError) and not isinstance(error, RequestException)
    for cause in causes(error):
        if "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return "its certificate is not to be trusted", False
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror, not files
    return "the connection failed", not files

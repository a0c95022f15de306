"""What goes wrong with Google Cloud Storage, in words."""

import ssl

import pytest
import requests
import urllib3
from google.api_core.exceptions import RetryError, from_http_status
from google.auth.exceptions import MalformedError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption

from nixery.storage.bucket import BucketError
from nixery.storage.gcs_failures import failures

SECRET = "https://storage.googleapis.com/b/o?upload_id=secret&X-Goog-Signature=secret"


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def status(code: int) -> BaseException:
    return from_http_status(code, f"GET {SECRET}: no")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("error", "words", "passing"),
    [
        (status(401), "credentials are refused", False),
        (status(403), "role Storage Object User", False),
        (status(404), "no such bucket", False),
        (status(400), "status 400", False),
        (status(408), "waited too long", True),
        (status(429), "too much is asked", True),
        (status(500), "status 500", True),
        (status(503), "status 503", True),
        (from_http_status(400, "Provided CRC32C 'x' doesn't match"), "not what was sent", True),
        (RetryError(SECRET, status(503)), "status 503", True),
        (RetryError(SECRET, status(403)), "Storage Object User", False),
        (DataCorruption(requests.Response(), SECRET), "not what was sent", True),
        (RefreshError(SECRET), "not renewed", False),
        (RefreshError(SECRET, retryable=True), "not renewed", True),
        (caused(RefreshError(SECRET), TransportError(SECRET)), "gave no token", True),
        (MalformedError(SECRET), "no credentials that it takes", False),
        (TransportError(SECRET), "no signature, or no token", True),
        (caused(TransportError(SECRET), ConnectionRefusedError(111, "Connection refused")), "refused", True),
        (requests.ConnectTimeout(SECRET), "no answer in time", True),
        (requests.ReadTimeout(SECRET), "no answer in time", True),
        (urllib3.exceptions.ReadTimeoutError(None, SECRET, SECRET), "no answer in time", True),  # type: ignore[arg-type]
        (requests.ConnectionError(SECRET), "connection failed", True),
        (caused(requests.ConnectionError(SECRET), ConnectionResetError(104, "Reset by peer")), "Reset by peer", True),
        (urllib3.exceptions.ProtocolError(SECRET), "connection failed", True),
        (requests.exceptions.SSLError(ssl.SSLError(1, "CERTIFICATE_VERIFY_FAILED")), "not to be trusted", False),
        (requests.exceptions.InvalidURL(SECRET), "address is not a URL", False),
        (ValueError(SECRET), "not to be expected", True),
        (FileNotFoundError(2, "No such file or directory", "/spool/x"), "No such file", False),
    ],
)
def test_an_error_says_what_went_wrong_and_whether_it_may_pass(error: BaseException, words: str, passing: bool) -> None:
    with pytest.raises(BucketError) as caught, failures("reading layers/x"):
        raise error
    said = str(caught.value)
    assert said.startswith("reading layers/x: ")
    assert words in said
    assert caught.value.passing is passing
    assert "secret" not in said
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__, "a traceback would show the library's words"


def test_what_is_nobody_s_fault_but_ours_stays_as_it_is() -> None:
    with pytest.raises(TypeError), failures("reading layers/x"):
        raise TypeError

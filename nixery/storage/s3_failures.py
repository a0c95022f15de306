"""What S3 and the way to it say when something fails, as BucketErrors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectionError,  # botocore's own, no kin of Python's
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from nixery.storage.bucket import BucketError
from nixery.storage.tracebacks import emptied

# Codes: "Error responses" of the Amazon S3 API reference.
_PASSING = {"RequestTimeout", "SlowDown", "ConditionalRequestConflict", "OperationAborted", "NoSuchUpload", "BadDigest"}
_NOT_S3 = "what answers there is not S3: correct S3_ENDPOINT"
_WRONG_REGION = "the bucket is in another region: correct S3_REGION"
_ADVICE = {
    "NoSuchBucket": "there is no such bucket: make it, or correct S3_BUCKET",
    "AccessDenied": "the credentials do not allow it",
    "AllAccessDisabled": "the credentials do not allow it",
    "InvalidAccessKeyId": "the access key is unknown: correct AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key is wrong: correct AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired",
    "InvalidToken": "the credentials' session token is wrong",
    "RequestTimeTooSkewed": "this host's clock is wrong",
    "NotImplemented": "the server lacks what this needs, such as If-None-Match and If-Match",
    "PermanentRedirect": _WRONG_REGION,
    "AuthorizationHeaderMalformed": _WRONG_REGION,
    # Where an answer has no body, as with HEAD, or not S3's, botocore takes the status for a code.
    "302": _NOT_S3,
    "403": "the credentials do not allow it",
    "404": _NOT_S3,
    "500": "the server failed, or is not S3",
}

# The first that fits counts: what it is, in our words, as botocore's repeat URLs; and whether it may pass.
_FAULTS: tuple[tuple[type[Exception], str, bool], ...] = (
    (ConnectTimeoutError, "no connection in time", True),
    (ReadTimeoutError, "no answer in time", True),
    (ConnectionClosedError, "the connection was cut", True),
    (SSLError, "no secure connection could be made: AWS_CA_BUNDLE names the authorities that are trusted", True),
    (ConnectionError, "no connection could be made", True),
    (HTTPClientError, "the connection failed", True),
    (HTTPError, "the connection failed", True),
    (IncompleteReadError, "the answer ended early", True),
    (ResponseParserError, "the answer is not S3's", True),
    (NoCredentialsError, "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", False),
    (CredentialRetrievalError, "the credentials could not be fetched", True),
    (MetadataRetrievalError, "the credentials could not be fetched", True),
)


class Absent(BucketError):
    """There is no such object, or not in the version that was named."""


@contextmanager
def failures(doing: str) -> Iterator[None]:
    """Raise as BucketError or Absent what fails meanwhile. `doing`: what is done, such as `reading layers/…`."""
    try:
        with emptied():
            yield
    except ClientError as error:
        raise _refused(doing, error) from None
    except (BotoCoreError, HTTPError, ResponseParserError) as error:
        raise _failed(doing, error) from None
    except KeyError as error:
        raise BucketError(f"{doing}: the answer is not S3's, as it lacks {error}", passing=True) from None
    except OSError as error:
        raise BucketError(f"{doing}: {error.strerror or type(error).__name__}", passing=False) from None


def _refused(doing: str, error: ClientError) -> BucketError:
    """Of what the server said, its code alone: the rest may repeat keys and tokens."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = error.response.get("Error", {}).get("Code") or str(status)
    words = f"{doing}: {_code(said)}HTTP status {status}"
    if said == "NoSuchKey" or status == 412 or (status == 404 and error.operation_name == "HeadObject"):
        return Absent(words, passing=False)
    advice = f": {_ADVICE[said]}" if said in _ADVICE else ""
    return BucketError(words + advice, _passes(said, status))


def _code(said: str) -> str:
    return f"{said}, " if re.fullmatch("[A-Za-z][A-Za-z.]{0,60}", said) else ""


def _passes(code: str, status: int) -> bool:
    return code in _PASSING or status == 429 or (status >= 500 and status != 501)


def _failed(doing: str, error: Exception) -> BucketError:
    for kind, words, passing in _FAULTS:
        if isinstance(error, kind):
            return BucketError(f"{doing}: {words}", passing)
    return BucketError(f"{doing}: {type(error).__name__}", passing=False)

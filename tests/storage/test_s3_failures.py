"""How requests to S3 fail."""

from typing import Any

import pytest
from botocore import exceptions as botocore
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from nixery.storage.bucket import BucketError
from nixery.storage.s3_failures import Absent, failures


@pytest.mark.parametrize(
    ("code", "status", "passing", "words"),
    [
        ("InternalError", 500, True, "InternalError, HTTP status 500"),
        ("SlowDown", 503, True, "SlowDown, HTTP status 503"),
        ("TooManyRequests", 429, True, "TooManyRequests, HTTP status 429"),
        ("RequestTimeout", 400, True, "RequestTimeout, HTTP status 400"),
        ("BadDigest", 400, True, "BadDigest, HTTP status 400"),
        ("ConditionalRequestConflict", 409, True, "ConditionalRequestConflict, HTTP status 409"),
        ("502", 502, True, "HTTP status 502"),
        ("AccessDenied", 403, False, "AccessDenied, HTTP status 403: the credentials do not allow it"),
        ("403", 403, False, "HTTP status 403: the credentials do not allow it"),
        ("NoSuchBucket", 404, False, "NoSuchBucket, HTTP status 404: there is no such bucket: make it, or"),
        ("XAdminUserNotFound", 404, False, "XAdminUserNotFound, HTTP status 404"),
        ("InvalidAccessKeyId", 403, False, "the access key is unknown"),
        ("ExpiredToken", 400, False, "the credentials have expired"),
        ("NotImplemented", 501, False, "the server lacks what this needs, such as If-None-Match"),
        ("PermanentRedirect", 301, False, "the bucket is in another region: correct S3_REGION"),
        ("a https://host/?X-Amz-Signature=1", 400, False, "HTTP status 400"),
    ],
)
def test_a_refusal_is_put_in_words_and_may_pass_or_not(code: str, status: int, passing: bool, words: str) -> None:
    told = {
        "Message": "the-key https://host/?X-Amz-Signature=1",
        "AWSAccessKeyId": "the-key",
        "StringToSign": "the-text",
    }
    answer: Any = {"Error": {"Code": code, **told}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(BucketError) as caught, failures("reading layers/x"):
        raise ClientError(answer, "GetObject")
    assert str(caught.value).startswith("reading layers/x: ")
    assert words in str(caught.value)
    assert caught.value.passing is passing
    assert not any(secret in str(caught.value) for secret in ("the-", "Signature"))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__, "botocore's own words are not logged with it"


@pytest.mark.parametrize(
    ("error", "words", "passing"),
    [
        (botocore.ConnectTimeoutError(endpoint_url="http://host/?the-key"), "no connection in time", True),
        (botocore.ReadTimeoutError(endpoint_url="http://host/?the-key"), "no answer in time", True),
        (botocore.EndpointConnectionError(endpoint_url="http://host/?the-key"), "no connection could be made", True),
        (botocore.ConnectionClosedError(endpoint_url="http://host/?the-key"), "the connection was cut", True),
        (
            botocore.SSLError(endpoint_url="https://the-key", error=ValueError("?")),
            "no secure connection could be made",
            True,
        ),
        (botocore.ResponseStreamingError(error="the-key"), "the connection failed", True),
        (botocore.IncompleteReadError(actual_bytes=1, expected_bytes=2), "the answer ended early", True),
        (HTTPError("the-key"), "the connection failed", True),
        (ResponseParserError("the-key"), "the answer is not S3's", True),
        (KeyError("ETag"), "the answer is not S3's, as it lacks 'ETag'", True),
        (botocore.CredentialRetrievalError(provider="?", error_msg="the-key"), "the credentials could not be", True),
        (botocore.NoCredentialsError(), "there are no credentials: set AWS_ACCESS_KEY_ID", False),
        (botocore.ParamValidationError(report="the-key"), "ParamValidationError", False),
        (FileNotFoundError(2, "No such file", "/the-key"), "No such file", False),
    ],
)
def test_what_fails_on_the_way_is_put_in_words_and_may_pass_or_not(error: Exception, words: str, passing: bool) -> None:
    with pytest.raises(BucketError) as caught, failures("reading layers/x"):
        raise error
    assert str(caught.value).startswith(f"reading layers/x: {words}")
    assert caught.value.passing is passing
    assert "the-key" not in str(caught.value)
    assert not isinstance(caught.value, Absent)


@pytest.mark.parametrize(
    ("operation", "code", "status", "absent"),
    [
        ("GetObject", "NoSuchKey", 404, True),
        ("GetObject", "PreconditionFailed", 412, True),
        ("GetObject", "412", 412, True),
        ("HeadObject", "404", 404, True),
        ("HeadObject", "403", 403, False),
        ("GetObject", "404", 404, False),
        ("GetObject", "NoSuchBucket", 404, False),
        ("UploadPart", "NoSuchUpload", 404, False),
    ],
)
def test_what_is_not_there_is_told_from_failures(operation: str, code: str, status: int, absent: bool) -> None:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(BucketError) as caught, failures("reading layers/x"):
        raise ClientError(answer, operation)
    assert isinstance(caught.value, Absent) is absent

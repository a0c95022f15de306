"""What a real S3 server does not show: what is asked of it, and what is made of answers that are not as asked for."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from nixery.images.digest import Digest
from nixery.storage import s3_parts
from nixery.storage.bucket import SMALL, BucketError, Object
from nixery.storage.s3_bucket import S3Bucket
from nixery.storage.s3_parts import PART, md5

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ETAG = '"0123"'

TRIES = 5
"""Of one part."""


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_parts, "_WAITS", (0.0,) * (TRIES - 1))


@pytest.fixture(scope="module")
def client() -> "S3Client":
    return boto3.session.Session("the-key", "the-secret", region_name="us-east-1").client("s3")


@pytest.fixture
def server(client: "S3Client") -> Iterator[Stubber]:
    """Answers as it is told to, to what it is told to expect; all of it is to be asked for."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def bucket(client: "S3Client") -> S3Bucket:
    return S3Bucket(client, "bucket")


def body(data: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(data), len(data))


class Unread(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("it is read")


def asked(**parameters: Any) -> dict[str, Any]:
    """The parameters of a request for an object, or for a listing."""
    return {"Bucket": "bucket", "Key": "layers/x", **parameters}


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("PreconditionFailed", 412), ("412", 412)])
def test_what_is_not_there_is_no_failure(bucket: S3Bucket, server: Stubber, code: str, status: int) -> None:
    for call in ("get_object", "get_object", "put_object", "copy_object"):
        server.add_client_error(call, code, http_status_code=status)
    assert bucket.read("layers/x") is None
    assert bucket.read_part("layers/x", ETAG, 0, 1) is None
    assert not bucket.write("layers/x", b"", ETAG)
    bucket.vouch("layers/x", ETAG, Digest.of(b""))


def test_a_status_alone_says_that_an_object_is_missing_only_where_there_is_no_more_to_say(
    bucket: S3Bucket, server: Stubber
) -> None:
    server.add_client_error("head_object", "404", http_status_code=404)
    server.add_client_error("get_object", "404", http_status_code=404)
    assert bucket.look("layers/x") is None
    with pytest.raises(BucketError, match="HTTP status 404: what answers there is not S3"):
        bucket.read("layers/x")


@pytest.mark.parametrize("name", ["nixery-sha256", "Nixery-Sha256", "NIXERY-SHA256"])
def test_who_vouches_is_seen_however_the_server_writes_headers(bucket: S3Bucket, server: Stubber, name: str) -> None:
    server.add_response("head_object", {"ContentLength": 1, "ETag": ETAG, "Metadata": {"other": "", name: "abc"}})
    assert bucket.look("layers/x") == Object(1, ETAG, "abc")


def test_an_object_that_is_too_large_is_not_read(bucket: S3Bucket, server: Stubber) -> None:
    answer = {"Body": StreamingBody(Unread(), SMALL + 1), "ContentLength": SMALL + 1, "ETag": ETAG}
    server.add_response("get_object", answer, asked())
    with pytest.raises(BucketError, match=f"{SMALL + 1} bytes, and at most {SMALL}"):
        bucket.read("layers/x")


def test_a_server_that_ignores_a_range_is_not_read(bucket: S3Bucket, server: Stubber) -> None:
    answer = {"Body": StreamingBody(Unread(), 100), "ContentLength": 100, "ETag": ETAG}
    server.add_response("get_object", answer, asked(IfMatch=ETAG, Range="bytes=5-14"))
    with pytest.raises(BucketError, match="100 bytes came where 10 were asked for"):
        bucket.read_part("layers/x", ETAG, 5, 10)


def test_a_server_that_ignores_the_version_of_a_part_is_found_out(bucket: S3Bucket, server: Stubber) -> None:
    server.add_response("get_object", {"Body": StreamingBody(Unread(), 1), "ContentLength": 1, "ETag": '"4567"'})
    assert bucket.read_part("layers/x", ETAG, 0, 1) is None


def test_a_body_that_ends_early_is_a_failure_that_may_pass(bucket: S3Bucket, server: Stubber) -> None:
    short = StreamingBody(io.BytesIO(b"short"), 10)
    server.add_response("get_object", {"Body": short, "ContentLength": 10, "ETag": ETAG})
    with pytest.raises(BucketError, match="the answer ended early") as caught:
        bucket.read_part("layers/x", ETAG, 0, 10)
    assert caught.value.passing


# Requests


@pytest.mark.parametrize(
    ("replaced", "precondition"), [(None, {"IfNoneMatch": "*"}), (ETAG, {"IfMatch": ETAG})], ids=["new", "replaced"]
)
def test_writes_have_a_checksum_and_a_precondition(
    bucket: S3Bucket, server: Stubber, tmp_path: Path, replaced: str | None, precondition: dict[str, str]
) -> None:
    checksum = "XUFAKrxLKna5cZ2REBfFkg=="
    expected = asked(Body=b"hello", ContentMD5=checksum, **precondition)
    server.add_response("put_object", {}, {**expected, "Metadata": {}})
    server.add_response("put_object", {}, {**expected, "Metadata": {"nixery-sha256": Digest.of(b"hello").hex}})
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    assert bucket.write("layers/x", b"hello", replaced)
    assert bucket.upload("layers/x", str(path), Digest.of(b"hello"), replaced)


def test_a_removal_is_of_one_version_also_where_the_server_does_not_ask(bucket: S3Bucket, server: Stubber) -> None:
    head = {"ContentLength": 1, "ETag": ETAG, "Metadata": {}}
    server.add_response("head_object", head)
    assert not bucket.remove("layers/x", '"4567"')
    server.add_response("head_object", head)
    server.add_response("delete_object", {}, asked(IfMatch=ETAG))
    assert bucket.remove("layers/x", ETAG)


def test_a_listing_goes_on_where_pages_hold_only_folders(bucket: S3Bucket, server: Stubber) -> None:
    listing = {"Bucket": "bucket", "Prefix": "v1/names/", "Delimiter": "/", "StartAfter": "v1/names/a"}
    folders = {"IsTruncated": True, "NextContinuationToken": "next", "CommonPrefixes": [{"Prefix": "v1/names/b/"}]}
    server.add_response("list_objects_v2", folders, {**listing, "MaxKeys": 2})
    found = {"IsTruncated": False, "Contents": [{"Key": "v1/names/c", "Size": 3}]}
    server.add_response("list_objects_v2", found, {**listing, "MaxKeys": 2, "ContinuationToken": "next"})
    assert bucket.list("v1/names", "a", 2) == [("c", 3)]


# Uploads


def test_a_file_that_is_gone_or_another_is_not_uploaded(bucket: S3Bucket, server: Stubber, tmp_path: Path) -> None:
    with pytest.raises(BucketError, match="uploading layers/x: No such file"):
        bucket.upload("layers/x", str(tmp_path / "file"), Digest.of(b""), None)
    (tmp_path / "file").write_bytes(b"other")
    with pytest.raises(BucketError, match="the file has another digest"):
        bucket.upload("layers/x", str(tmp_path / "file"), Digest.of(b"file"), None)


@pytest.mark.parametrize("aborted", [True, False])
def test_parts_are_given_back_when_one_fails(bucket: S3Bucket, server: Stubber, tmp_path: Path, aborted: bool) -> None:
    first, second = b"a" * PART, b"b"
    (tmp_path / "file").write_bytes(first + second)
    of_upload = asked(UploadId="upload")
    server.add_response("create_multipart_upload", {"UploadId": "upload"}, asked(Metadata=ANY))
    part = {**of_upload, "Body": first, "ContentMD5": md5(first), "PartNumber": 1}
    server.add_response("upload_part", {"ETag": ETAG}, part)
    part = {**of_upload, "Body": second, "ContentMD5": md5(second), "PartNumber": 2}
    for _ in range(TRIES):
        server.add_client_error("upload_part", "SlowDown", http_status_code=503, expected_params=part)
    if aborted:
        server.add_response("abort_multipart_upload", {}, of_upload)
    else:
        server.add_client_error("abort_multipart_upload", "AccessDenied", http_status_code=403)
    with pytest.raises(BucketError, match="SlowDown") as caught:
        bucket.upload("layers/x", str(tmp_path / "file"), Digest.of(first + second), None)
    assert caught.value.passing


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that goes in two parts."""
    (tmp_path / "file").write_bytes(b"a" * (PART + 1))
    return tmp_path / "file"


def test_a_part_is_sent_again_by_itself(bucket: S3Bucket, server: Stubber, large: Path) -> None:
    server.add_response("create_multipart_upload", {"UploadId": "upload"})
    server.add_client_error("upload_part", "SlowDown", http_status_code=503)
    server.add_client_error("upload_part", "500", http_status_code=500)
    server.add_response("upload_part", {"ETag": '"1"'})
    server.add_response("upload_part", {"ETag": '"2"'})
    parts = [{"PartNumber": 1, "ETag": '"1"'}, {"PartNumber": 2, "ETag": '"2"'}]
    completed = asked(UploadId="upload", MultipartUpload={"Parts": parts}, IfNoneMatch="*")
    server.add_response("complete_multipart_upload", {}, completed)
    assert bucket.upload("layers/x", str(large), Digest.of(large.read_bytes()), None)


@pytest.mark.parametrize(("code", "soon"), [("AccessDenied", 10), ("SlowDown", -1)])
def test_a_part_that_is_refused_or_took_long_is_not_sent_again(
    bucket: S3Bucket, server: Stubber, large: Path, monkeypatch: pytest.MonkeyPatch, code: str, soon: int
) -> None:
    monkeypatch.setattr(s3_parts, "_SOON", soon)
    server.add_response("create_multipart_upload", {"UploadId": "upload"})
    server.add_client_error("upload_part", code, http_status_code=403)
    server.add_response("abort_multipart_upload", {}, asked(UploadId="upload"))
    with pytest.raises(BucketError, match=code):
        bucket.upload("layers/x", str(large), Digest.of(large.read_bytes()), None)


def test_an_upload_breaks_off_when_its_file_is_removed(
    bucket: S3Bucket, client: "S3Client", server: Stubber, large: Path
) -> None:
    digest = Digest.of(large.read_bytes())
    server.add_response("create_multipart_upload", {"UploadId": "upload"})
    server.add_response("upload_part", {"ETag": '"1"'})
    server.add_response("abort_multipart_upload", {}, asked(UploadId="upload"))
    client.meta.events.register("after-call.s3.UploadPart", lambda **_: large.unlink(), "given up")
    with pytest.raises(BucketError, match="uploading layers/x: Operation canceled") as caught:
        bucket.upload("layers/x", str(large), digest, None)
    client.meta.events.unregister("after-call.s3.UploadPart", unique_id="given up")
    assert not caught.value.passing


def test_an_upload_in_parts_that_comes_too_late_gives_its_parts_back(
    bucket: S3Bucket, server: Stubber, tmp_path: Path
) -> None:
    data = b"a" * (PART + 1)
    (tmp_path / "file").write_bytes(data)
    server.add_response("create_multipart_upload", {"UploadId": "upload"})
    server.add_response("upload_part", {"ETag": '"1"'})
    server.add_response("upload_part", {"ETag": '"2"'})
    parts = [{"PartNumber": 1, "ETag": '"1"'}, {"PartNumber": 2, "ETag": '"2"'}]
    completed = asked(UploadId="upload", MultipartUpload={"Parts": parts}, IfNoneMatch="*")
    server.add_client_error("complete_multipart_upload", "PreconditionFailed", "", 412, expected_params=completed)
    server.add_response("abort_multipart_upload", {}, asked(UploadId="upload"))
    assert not bucket.upload("layers/x", str(tmp_path / "file"), Digest.of(data), None)

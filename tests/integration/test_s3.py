"""The S3 backend on a real server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import pytest
import pytest_twisted
from botocore.config import Config

from nixery.errors import ConfigError
from nixery.images.digest import Digest
from nixery.storage.bucket import Bucket, BucketError
from nixery.storage.interfaces import IStorage
from nixery.storage.s3 import Place, make
from nixery.storage.s3_bucket import S3Bucket
from nixery.storage.s3_parts import PART, abort_forgotten
from tests.integration.conftest import need
from tests.integration.versitygw import ENVIRONMENT, KEY, REGION, SECRET, Gateway, ignoring, serving
from tests.loopback import Answering, listening
from tests.storage.bucket_contract import BucketContract
from tests.storage.bucket_steps import file_of, noise
from tests.storage.contract import StorageContract
from tests.storage.places import surroundings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        for name, text in ENVIRONMENT.items():
            patch.setenv(name, text)
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield patch


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    need("versitygw")
    with serving(tmp_path_factory.mktemp("versitygw")) as gateway:
        yield gateway


@pytest.fixture
def settings(gateway: Gateway, salt: str) -> dict[str, str]:
    """The settings for a bucket of the test's own."""
    return gateway.bucket(salt)


@pytest.fixture
def bucket(settings: dict[str, str]) -> Iterator[S3Bucket]:
    bucket = Place.of(settings).bucket()
    yield bucket
    bucket.close()


@pytest.fixture(scope="module")
def contract_bucket(gateway: Gateway) -> Iterator[S3Bucket]:
    bucket = Place.of(gateway.bucket("contract")).bucket()
    yield bucket
    bucket.close()


@pytest.fixture
def client(gateway: Gateway) -> "Iterator[S3Client]":
    config = Config(s3={"addressing_style": "path"})
    client = boto3.session.Session(KEY, SECRET, region_name=REGION).client(
        "s3", endpoint_url=gateway.url, config=config
    )
    yield client
    client.close()


class TestBucket(BucketContract):
    @pytest.fixture
    def bucket(self, contract_bucket: S3Bucket) -> Bucket:
        return contract_bucket


class TestStorage(StorageContract):
    @pytest.fixture(params=["redirect", "proxy"])
    def storage(self, settings: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[IStorage]:
        storage = make({**settings, "NIXERY_BLOBS": request.param}, surroundings(tmp_path))
        storage.startService()
        yield storage
        pytest_twisted.blockon(storage.stopService())


# Starting


def refused(settings: dict[str, str], folder: Path, read_only: bool = False) -> str:
    """The one line by which a start fails."""
    with pytest.raises(ConfigError) as caught:
        make(settings, surroundings(folder, read_only))
    assert "\n" not in caught.value.message
    assert not any(word in caught.value.message for word in (KEY, SECRET, "X-Amz", "Credential="))
    return caught.value.message


@pytest.mark.parametrize("header", ["if-none-match", "if-match", "x-amz-copy-source-if-match"])
def test_a_server_that_ignores_a_precondition_is_found_out(
    gateway: Gateway, settings: dict[str, str], tmp_path: Path, header: str
) -> None:
    with ignoring(gateway, header) as url:
        message = refused({**settings, "S3_ENDPOINT": url}, tmp_path)
    assert f"its server ignores {header}; choose one that honours it" in message.lower()


def test_a_server_that_ignores_nothing_is_taken_and_nothing_is_left_in_it(
    gateway: Gateway, settings: dict[str, str], tmp_path: Path, bucket: S3Bucket
) -> None:
    with ignoring(gateway) as url:
        make({**settings, "S3_ENDPOINT": url}, surroundings(tmp_path))
    assert list(bucket.list("v1/probe", "", 1)) == []


def test_a_reader_writes_nothing_at_its_start(gateway: Gateway, settings: dict[str, str], tmp_path: Path) -> None:
    with ignoring(gateway, "if-none-match", "if-match") as url:
        make({**settings, "S3_ENDPOINT": url}, surroundings(tmp_path, read_only=True))
    assert list((gateway.folder / settings["S3_BUCKET"]).iterdir()) == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_bucket_that_is_not_there_is_said(settings: dict[str, str], tmp_path: Path, read_only: bool) -> None:
    message = refused({**settings, "S3_BUCKET": "elsewhere"}, tmp_path, read_only)
    assert message.startswith(f"the bucket elsewhere at {settings['S3_ENDPOINT']} cannot be used: listing layers: ")
    assert message.endswith("there is no such bucket: make it, or correct S3_BUCKET")


@pytest.mark.parametrize("read_only", [False, True])
def test_credentials_that_are_refused_are_said(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    message = refused(settings, tmp_path, read_only)
    assert "SignatureDoesNotMatch" in message
    assert "correct AWS_SECRET_ACCESS_KEY" in message
    assert "another-secret" not in message


def test_a_server_that_is_not_there_is_said(settings: dict[str, str], tmp_path: Path) -> None:
    with listening(partial(Answering[None], None)) as port:
        pass
    message = refused({**settings, "S3_ENDPOINT": f"http://127.0.0.1:{port}"}, tmp_path)
    assert message.endswith("listing layers: no connection could be made")


@pytest.mark.parametrize(
    ("status", "page", "words"),
    [
        (200, b"<html><p>Welcome", "HTTP status 500: the server failed, or is not S3"),
        (200, b"<html></html>", "the answer is not S3's, as it lacks 'IsTruncated'"),
        (404, b"<html><p>Welcome", "HTTP status 404: what answers there is not S3: correct S3_ENDPOINT"),
        (403, b"<html></html>", "HTTP status 403: the credentials do not allow it"),
    ],
)
def test_a_server_that_is_not_s3_is_said(
    settings: dict[str, str], tmp_path: Path, status: int, page: bytes, words: str
) -> None:
    class Web(Answering[None]):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(page)

    with listening(partial(Web, None)) as port:
        message = refused({**settings, "S3_ENDPOINT": f"http://127.0.0.1:{port}"}, tmp_path)
    assert message.endswith(f"cannot be used: listing layers: {words}")


# Uploads in parts


def test_a_large_file_with_another_digest_leaves_nothing(
    settings: dict[str, str], bucket: S3Bucket, client: "S3Client", tmp_path: Path
) -> None:
    path, _ = file_of(tmp_path, noise(PART + 1))
    with pytest.raises(BucketError, match="another digest") as caught:
        bucket.upload("layers/x", path, Digest.of(b"other"), None)
    assert not caught.value.passing
    assert bucket.look("layers/x") is None
    assert client.list_multipart_uploads(Bucket=settings["S3_BUCKET"]).get("Uploads", []) == []


def test_uploads_that_nobody_goes_on_with_are_ended_when_they_are_a_day_old(
    settings: dict[str, str], client: "S3Client"
) -> None:
    name = settings["S3_BUCKET"]
    for key in ("layers/dead", "others/dead"):
        upload = client.create_multipart_upload(Bucket=name, Key=key)["UploadId"]
        client.upload_part(Bucket=name, Key=key, UploadId=upload, PartNumber=1, Body=b"part")

    def left(now: datetime) -> list[str]:
        abort_forgotten(client, name, "layers/", now)
        return [upload["Key"] for upload in client.list_multipart_uploads(Bucket=name).get("Uploads", [])]

    now = datetime.now(UTC)
    assert left(now + timedelta(hours=23)) == ["layers/dead", "others/dead"]
    assert left(now + timedelta(hours=25)) == ["others/dead"]


def test_a_start_ends_them_and_goes_on_where_that_is_refused(
    settings: dict[str, str], client: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = settings["S3_BUCKET"]
    client.create_multipart_upload(Bucket=name, Key="layers/dead")
    monkeypatch.setattr("nixery.storage.s3_parts._FORGOTTEN", timedelta(hours=-1))
    make(settings, surroundings(tmp_path))
    assert client.list_multipart_uploads(Bucket=name).get("Uploads", []) == []

    def refuse(*_: object) -> None:
        raise BucketError("AccessDenied", passing=False)

    monkeypatch.setattr(S3Bucket, "abort_forgotten", refuse)
    make(settings, surroundings(tmp_path))


def test_of_rivals_with_large_files_one_uploads(bucket: S3Bucket, tmp_path: Path) -> None:
    path, digest = file_of(tmp_path, noise(PART + 1))
    with ThreadPoolExecutor(4) as threads:
        wrote = list(threads.map(lambda _: bucket.upload("layers/x", path, digest, None), range(4)))
    assert sorted(wrote) == [False, False, False, True]


# Links


def test_a_link_is_at_the_endpoint(settings: dict[str, str], bucket: S3Bucket) -> None:
    link = urlsplit(bucket.link("layers/x"))
    assert f"{link.scheme}://{link.netloc}" == settings["S3_ENDPOINT"]
    assert link.path == f"/{settings['S3_BUCKET']}/layers/x"
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link.query
    assert SECRET not in link.query

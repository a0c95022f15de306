"""Google Cloud Storage by the contract of buckets, and uploads whose connections break."""

import logging
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError

import pytest
import pytest_twisted

from nixery.errors import ConfigError
from nixery.images.digest import Digest
from nixery.storage.bucket import LINK_SECONDS, BucketError
from nixery.storage.gcs import gcs_bucket, make
from nixery.storage.gcs_bucket import GcsBucket
from nixery.storage.interfaces import IStorage
from tests.integration.conftest import need
from tests.integration.daemon import running
from tests.integration.fake_gcs import fake_gcs, make_bucket
from tests.integration.fake_platform import platform
from tests.integration.gcs_front import Front, front
from tests.storage.bucket_contract import BucketContract, file_of, noise
from tests.storage.contract import StorageContract
from tests.storage.google_account import key_file
from tests.storage.places import surroundings

NAME = "nixery-tests"
PART = 8 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    need("fake-gcs-server")
    with fake_gcs(NAME) as port:
        yield port


@pytest.fixture
def gcs(server: int) -> Iterator[Front]:
    """The server does not look at signatures, nor at preconditions of changes of metadata: the proxy does."""
    with front(server) as proxy:
        yield proxy


@pytest.fixture
def settings(gcs: Front, tmp_path: Path) -> dict[str, str]:
    """Those of a daemon with an account whose key it has."""
    account = str(key_file(tmp_path))
    return {"GCS_BUCKET": NAME, "STORAGE_EMULATOR_HOST": gcs.url, "GOOGLE_APPLICATION_CREDENTIALS": account}


@pytest.fixture
def bucket(settings: dict[str, str]) -> Iterator[GcsBucket]:
    bucket = gcs_bucket(settings, read_only=False)
    yield bucket
    bucket.close()


class TestGcsBucket(BucketContract):
    large = 2 * PART + 1


class TestGcsStorage(StorageContract):
    @pytest.fixture(params=["redirect", "proxy"])
    def storage(
        self, server: int, settings: dict[str, str], salt: str, tmp_path: Path, request: pytest.FixtureRequest
    ) -> Iterator[IStorage]:
        make_bucket(server, salt)
        storage = make({**settings, "GCS_BUCKET": salt, "NIXERY_BLOBS": request.param}, surroundings(tmp_path))
        storage.startService()
        yield storage
        pytest_twisted.blockon(storage.stopService())


# Starting


def refused(settings: dict[str, str], folder: Path) -> str:
    """The one line by which a start fails."""
    with pytest.raises(ConfigError) as caught:
        make(settings, surroundings(folder))
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_bucket_that_is_not_there_is_said(settings: dict[str, str], tmp_path: Path) -> None:
    assert refused({**settings, "GCS_BUCKET": "elsewhere"}, tmp_path) == (
        "the bucket elsewhere of Google Cloud Storage cannot be used: listing layers/: there is no such bucket (404): "
        "make it, or correct GCS_BUCKET"
    )


def test_nothing_is_left_of_the_start_and_a_reader_writes_nothing(
    gcs: Front, settings: dict[str, str], bucket: GcsBucket, tmp_path: Path
) -> None:
    make(settings, surroundings(tmp_path))
    assert bucket.list("v1/probe", "", 9) == []
    gcs.requests.clear()
    make(settings, surroundings(tmp_path, read_only=True))
    assert [request[:4] for request in gcs.requests] == ["GET "]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_account_that_may_only_read_does_for_a_reader_alone(
    gcs: Front, settings: dict[str, str], tmp_path: Path, method: str
) -> None:
    gcs.forbidden = method
    assert "give the account the role Storage Object User on the bucket" in refused(settings, tmp_path)
    make(settings, surroundings(tmp_path, read_only=True))


# Links


def status(url: str, method: str = "GET") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_a_link_is_good_for_one_object_one_method_and_its_time(gcs: Front, bucket: GcsBucket, salt: str) -> None:
    assert bucket.write(f"{salt}/object", b"layer", None)
    assert bucket.write(f"{salt}/other", b"other", None)
    link = bucket.link(f"{salt}/object")
    assert status(link) == 200
    assert status(link, "HEAD") == 403
    assert status(link.replace("object", "other")) == 403
    assert status(link[:-1] + ("1" if link.endswith("0") else "0")) == 403
    assert status(link.partition("?")[0]) == 403
    gcs.late = timedelta(seconds=LINK_SECONDS - 30)
    assert status(link) == 200
    gcs.late = timedelta(seconds=LINK_SECONDS)
    assert status(link) == 403


def test_where_the_platform_gives_an_account_iam_signs_for_it(
    gcs: Front, bucket: GcsBucket, salt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bucket.write(f"{salt}/object", b"layer", None)
    settings = {"GCS_BUCKET": NAME, "STORAGE_EMULATOR_HOST": gcs.url, "GCS_SIGN": "iam"}
    with platform(monkeypatch) as google:
        other = gcs_bucket(settings, read_only=False)
        assert google.signed == 1, "once at the start, to see whether it may"
        assert status(other.link(f"{salt}/object")) == 200
        assert google.signed == 2
        google.allowed = False
        with pytest.raises(BucketError, match="signing a link"):
            other.link(f"{salt}/object")
        with pytest.raises(ConfigError, match="Service Account Token Creator"):
            gcs_bucket(settings, read_only=False)
        other.close()


def test_a_daemon_hands_out_links_and_logs_none(settings: dict[str, str], packages: Path, tmp_path: Path) -> None:
    given = {"NIXERY_PKGS_PATH": str(packages), "NIXERY_STORAGE_BACKEND": "gcs", **settings}
    with running(tmp_path / "daemon", **given) as daemon:
        for digest in daemon.pull("shell/hello").layers:
            answer = daemon.blob(digest)
            assert answer.status == 307
            with urllib.request.urlopen(answer.headers["Location"], timeout=20) as blob:
                assert str(Digest.of(blob.read())) == digest
        assert b"/blobs/sha256:" in daemon.log
        assert b"X-Goog-" not in daemon.log


# Uploads


@pytest.mark.parametrize("cut", ["before", "after"])
def test_one_whose_connection_breaks_goes_on_where_it_was(
    gcs: Front, bucket: GcsBucket, tmp_path: Path, cut: str
) -> None:
    path, digest = file_of(tmp_path, noise(2 * PART + 1))
    gcs.cuts += ["", cut]
    assert bucket.upload(f"broken/{cut}", path, digest, None)
    found = bucket.look(f"broken/{cut}")
    assert found is not None
    assert found.vouched == digest.hex
    assert bucket.read_part(f"broken/{cut}", found.version, PART - 1, PART + 2) == noise(2 * PART + 1)[PART - 1 :]
    assert [request[:4] for request in gcs.requests[:5]] == ["POST", "PUT ", "PUT ", "PUT ", "PUT "]
    assert not gcs.cuts


def test_what_has_not_the_digest_s_checksum_on_arrival_is_not_made(
    bucket: GcsBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nixery.storage.gcs_bucket._checksum", lambda file: "AAAAAA==")
    for size in (1000, PART + 1):
        with pytest.raises(BucketError, match="what arrived is not what was sent") as caught:
            bucket.upload(f"wrong/{size}", *file_of(tmp_path, noise(size)), None)
        assert caught.value.passing
        assert bucket.look(f"wrong/{size}") is None


def test_metadata_of_others_stay(gcs: Front, bucket: GcsBucket) -> None:
    blob = bucket._bucket.blob("theirs/object")
    blob.metadata = {"theirs": "kept"}
    blob.upload_from_string(b"layer")
    bucket.vouch("theirs/object", str(blob.generation), Digest.of(b"layer"))
    blob.reload()
    assert blob.metadata == {"theirs": "kept", "nixery-sha256": Digest.of(b"layer").hex}


def test_threads_share_a_client_and_its_connections(bucket: GcsBucket, caplog: pytest.LogCaptureFixture) -> None:
    assert bucket.write("shared/object", b"record", None)
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(24) as threads:
        read = list(threads.map(bucket.read, ["shared/object"] * 240))
    assert {found and found[0] for found in read} == {b"record"}
    assert not caplog.records

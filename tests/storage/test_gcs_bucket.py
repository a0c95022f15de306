"""What a bucket's calls make of a server that refuses, fails, or is something else."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from nixery.images.digest import Digest
from nixery.storage.bucket import Bucket, BucketError
from nixery.storage.gcs import gcs_bucket
from nixery.storage.gcs_bucket import GcsBucket
from tests.loopback import Answering, listening

SECRET = "https://storage.googleapis.com/b/o?upload_id=secret&X-Goog-Signature=secret"


class Web(Answering[list[int]]):
    """Answers with a status, and ends the connection with none. What it sends has not the checksum that it gives."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.state:
            self.send_response(self.state[0])
            self.send_header("Content-Type", "text/html")
            self.send_header("X-Goog-Hash", "crc32c=AAAAAA==")
            self.send_header("Location", f"{SECRET}&x")
            self.end_headers()
            self.wfile.write(f"<p>{SECRET}".encode())

    do_POST = do_PATCH = do_DELETE = do_GET


@pytest.fixture
def answers() -> list[int]:
    return []


@pytest.fixture
def bucket(answers: list[int]) -> Iterator[GcsBucket]:
    with listening(partial(Web, answers)) as port:
        bucket = gcs_bucket({"GCS_BUCKET": "nixery", "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"}, False)
        yield bucket
        bucket.close()


def calls(bucket: Bucket, folder: Path) -> Sequence[Callable[[], object]]:
    """All that asks the server, and writes or reads."""
    file = folder / "file"
    file.write_bytes(b"layer")
    return (
        lambda: bucket.look("layers/x"),
        lambda: bucket.read("layers/x"),
        lambda: bucket.read_part("layers/x", "1", 0, 1),
        lambda: bucket.write("layers/x", b"", None),
        lambda: bucket.upload("layers/x", str(file), Digest.of(b"layer"), None),
        lambda: bucket.remove("layers/x", "1"),
        lambda: bucket.vouch("layers/x", "1", Digest.of(b"")),
        lambda: bucket.list("layers", "", 1),
    )


@pytest.mark.parametrize(("code", "passing"), [(403, False), (429, True), (500, True), (503, True)])
def test_a_refusal_is_said_by_every_call(
    answers: list[int], bucket: GcsBucket, tmp_path: Path, code: int, passing: bool
) -> None:
    answers.append(code)
    for call in calls(bucket, tmp_path):
        with pytest.raises(BucketError, match=str(code)) as caught:
            call()
        assert caught.value.passing is passing
        assert "secret" not in str(caught.value)


def test_nobody_where_somebody_is_wanted_is_said(answers: list[int], bucket: GcsBucket) -> None:
    answers.append(401)
    with pytest.raises(BucketError, match="correct GOOGLE_APPLICATION_CREDENTIALS") as caught:
        bucket.look("layers/x")
    assert not caught.value.passing


def test_a_connection_that_ends_may_be_tried_again(bucket: GcsBucket, tmp_path: Path) -> None:
    for call in calls(bucket, tmp_path):
        with pytest.raises(BucketError, match="connection") as caught:
            call()
        assert caught.value.passing


def test_a_server_that_is_something_else_is_said(answers: list[int], bucket: GcsBucket) -> None:
    answers.append(200)
    with pytest.raises(BucketError, match="is not Google Cloud Storage") as caught:
        bucket.probe(read_only=True)
    assert not caught.value.passing


def test_bytes_that_were_damaged_on_the_way_are_asked_for_again(answers: list[int], bucket: GcsBucket) -> None:
    answers.append(200)
    with pytest.raises(BucketError, match="what came is not what was sent") as caught:
        bucket.read("layers/x")
    assert caught.value.passing


def test_a_part_that_is_longer_or_shorter_is_asked_for_again(answers: list[int], bucket: GcsBucket) -> None:
    answers.append(206)
    for length in (1, 1000):
        with pytest.raises(BucketError, match=f"bytes came instead of {length}") as caught:
            bucket.read_part("layers/x", "1", 0, length)
        assert caught.value.passing


def test_no_bytes_are_read_without_asking(bucket: GcsBucket) -> None:
    assert bucket.read_part("layers/x", "1", 0, 0) == b""

"""The S3 backend's settings."""

from functools import partial
from urllib.parse import urlsplit

import pytest

from nixery.errors import ConfigError
from nixery.storage.bucket import BucketError
from nixery.storage.s3 import Place, require_preconditions
from tests.loopback import Answering, listening
from tests.storage.fake_bucket import FakeBucket


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret")


@pytest.mark.parametrize(
    ("settings", "place", "words"),
    [
        ({"S3_BUCKET": "b-1"}, Place("b-1", None, None, False), "the bucket b-1"),
        (
            {"S3_BUCKET": "b-1", "S3_ENDPOINT": "https://host:9000", "S3_REGION": "eu-central-1"},
            Place("b-1", "https://host:9000", "eu-central-1", True),
            "the bucket b-1 at https://host:9000",
        ),
        (
            {"S3_BUCKET": "b-1", "S3_ENDPOINT": "http://[::1]/", "S3_REGION": "", "S3_PATH_STYLE": "no"},
            Place("b-1", "http://[::1]/", None, False),
            "the bucket b-1 at http://[::1]/",
        ),
        ({"S3_BUCKET": "b-1", "S3_ENDPOINT": "", "S3_PATH_STYLE": "yes"}, Place("b-1", None, None, True), "the bucket"),
    ],
)
def test_settings_say_where_the_bucket_is(settings: dict[str, str], place: Place, words: str) -> None:
    assert Place.of(settings) == place
    assert place.words.startswith(words)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("S3_BUCKET", ""),
        ("S3_BUCKET", "a/b"),
        ("S3_BUCKET", "https://host/bucket"),
        ("S3_ENDPOINT", "host:9000"),
        ("S3_ENDPOINT", "ftp://host"),
        ("S3_ENDPOINT", "https://"),
        ("S3_ENDPOINT", "https://host/bucket"),
        ("S3_ENDPOINT", "https://the-user:the-password@host"),
        ("S3_ENDPOINT", "https://host?x=y"),
        ("S3_ENDPOINT", "https://host:0"),
        ("S3_ENDPOINT", "https://host:99999"),
        ("S3_ENDPOINT", "https://host\n"),
        ("S3_ENDPOINT", "https://ho st"),
        ("S3_REGION", "eu central"),
        ("S3_PATH_STYLE", "maybe"),
    ],
)
def test_a_setting_that_cannot_be_is_named(variable: str, text: str) -> None:
    with pytest.raises(ConfigError, match=variable) as caught:
        Place.of({"S3_BUCKET": "bucket", variable: text})
    assert "the-" not in caught.value.message


def test_a_bucket_has_to_be_named() -> None:
    with pytest.raises(ConfigError, match="S3_BUCKET"):
        Place.of({})


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"S3_REGION": "eu-central-1"}, "https://bucket.s3.eu-central-1.amazonaws.com/layers/x"),
        (
            {"S3_REGION": "eu-central-1", "S3_PATH_STYLE": "yes"},
            "https://s3.eu-central-1.amazonaws.com/bucket/layers/x",
        ),
        ({"S3_ENDPOINT": "https://host:9000"}, "https://host:9000/bucket/layers/x"),
        ({"S3_ENDPOINT": "https://host:9000", "S3_PATH_STYLE": "no"}, "https://bucket.host:9000/layers/x"),
    ],
)
def test_links_are_where_the_settings_say(settings: dict[str, str], address: str) -> None:
    bucket = Place.of({"S3_BUCKET": "bucket", **settings}).bucket()
    link = urlsplit(bucket.link("layers/x"))
    bucket.close()
    assert f"{link.scheme}://{link.netloc}{link.path}" == address
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link.query
    assert "X-Amz-Expires=900" in link.query
    assert "the-secret" not in link.query


def test_a_request_that_fails_is_not_made_again_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    requests: list[str] = []

    class Failing(Answering[list[str]]):
        def do_HEAD(self) -> None:
            self.state.append(self.path)
            self.send_error(503)

    with listening(partial(Failing, requests)) as port:
        bucket = Place.of({"S3_BUCKET": "bucket", "S3_ENDPOINT": f"http://127.0.0.1:{port}"}).bucket()
        with pytest.raises(BucketError, match="HTTP status 503"):
            bucket.look("layers/x")
        bucket.close()
    assert requests == ["/bucket/layers/x"]


@pytest.mark.parametrize("creates", [True, False])
def test_a_server_that_refuses_what_it_should_write_is_found_out(creates: bool) -> None:
    class Refusing(FakeBucket):
        def write(self, key: str, data: bytes, replaced: str | None) -> bool:
            return replaced is None and creates and super().write(key, data, replaced)

    bucket = Refusing()
    with pytest.raises(ConfigError, match="the bucket cannot be used: its server refuses a write although"):
        require_preconditions(bucket, "the bucket")
    assert bucket.objects == {}

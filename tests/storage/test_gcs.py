"""Who we are at Google Cloud Storage, and who signs links, by the settings."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError

from nixery.errors import ConfigError
from nixery.storage.gcs import gcs_bucket
from tests.storage.google_account import EMAIL, key, key_file
from tests.storage.signed_urls import Asked, refusal


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform gives no account."""

    def default(**_: object) -> None:
        raise DefaultCredentialsError

    monkeypatch.setattr(google.auth, "default", default)


def test_the_bucket_has_two_names_in_the_settings() -> None:
    emulator = {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9"}
    link = gcs_bucket({"GCS_BUCKET": "newer", "BUCKET": "older", **emulator}, False).link("layers/x")
    assert link == "http://127.0.0.1:9/newer/layers/x"
    assert gcs_bucket({"BUCKET": "older", **emulator}, False).link("layers/x") == "http://127.0.0.1:9/older/layers/x"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "the gcs backend needs GCS_BUCKET"),
        ({"GCS_BUCKET": "../x"}, "GCS_BUCKET is '../x', which cannot be a bucket's name"),
        ({"GCS_BUCKET": "x"}, "cannot be a bucket's name"),
        ({"GCS_BUCKET": "nixery", "GCS_SIGN": "yes"}, "GCS_SIGN is 'yes'; it may be one of: key, iam, public"),
        ({"GCS_BUCKET": "nixery", "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere"}, "is '/nowhere', which is not a file"),
        ({"GCS_BUCKET": "nixery"}, "set GOOGLE_APPLICATION_CREDENTIALS"),
    ],
)
@pytest.mark.usefixtures("nobody")
def test_wrong_settings_are_refused_in_one_line(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        gcs_bucket(settings, False)
    assert words in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "text", ["secret", "[]", '{"type": "secret"}', '{"type": "service_account"}', "\0\xff", '{"type": 5}']
)
def test_a_file_that_holds_no_credentials_is_said_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "account.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match="not a file of Google Cloud's credentials") as caught:
        gcs_bucket({"GCS_BUCKET": "nixery", "GOOGLE_APPLICATION_CREDENTIALS": str(path)}, False)
    assert "secret" not in caught.value.message


@pytest.mark.usefixtures("nobody")
def test_a_reader_needs_no_account_for_a_bucket_that_is_open_to_all() -> None:
    found = gcs_bucket({"GCS_BUCKET": "nixery"}, read_only=True)
    assert found.link("layers/x") == "https://storage.googleapis.com/nixery/layers/x"


def test_what_the_platform_gives_signs_nothing_unless_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google.auth, "default", lambda **_: (AnonymousCredentials(), None))
    assert (
        gcs_bucket({"GCS_BUCKET": "nixery"}, False).link("layers/x") == "https://storage.googleapis.com/nixery/layers/x"
    )
    with pytest.raises(ConfigError, match="no key in these credentials"):
        gcs_bucket({"GCS_BUCKET": "nixery", "GCS_SIGN": "key"}, False)


def test_a_link_is_signed_with_the_key_of_the_file(tmp_path: Path) -> None:
    settings = {"GCS_BUCKET": "nixery", "GOOGLE_APPLICATION_CREDENTIALS": str(key_file(tmp_path))}
    link = urlsplit(gcs_bucket(settings, False).link("layers/x"))
    assert (link.scheme, link.netloc, link.path) == ("https", "storage.googleapis.com", "/nixery/layers/x")
    asked = Asked("GET", f"{link.path}?{link.query}", {"host": link.netloc})
    assert refusal(asked, EMAIL, key().public_key(), datetime.now(UTC)) is None
    assert asked.parameters["X-Goog-Expires"] == "900"
    assert json.loads(key_file(tmp_path).read_text())["private_key"] not in str(link)


def test_with_a_key_too_links_may_be_public(tmp_path: Path) -> None:
    account = str(key_file(tmp_path))
    settings = {"GCS_BUCKET": "nixery", "GOOGLE_APPLICATION_CREDENTIALS": account, "GCS_SIGN": "public"}
    assert gcs_bucket(settings, False).link("layers/x") == "https://storage.googleapis.com/nixery/layers/x"

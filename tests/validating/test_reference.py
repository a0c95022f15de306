import pytest

from nixery.errors import ConfigError
from nixery.validating.reference import Reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "url", "shown"),
    [
        ("host/a", "https://host/v2/a/manifests/latest", "host/a:latest"),
        ("host:5000/a/b:v1", "https://host:5000/v2/a/b/manifests/v1", "host:5000/a/b:v1"),
        ("localhost/a", "http://localhost/v2/a/manifests/latest", "localhost/a:latest"),
        ("127.0.0.1:80/a", "http://127.0.0.1:80/v2/a/manifests/latest", "127.0.0.1:80/a:latest"),
        ("[::1]:80/a", "http://[::1]:80/v2/a/manifests/latest", "[::1]:80/a:latest"),
        ("https://localhost/a", "https://localhost/v2/a/manifests/latest", "localhost/a:latest"),
        ("127.0.0.1.example/a", "https://127.0.0.1.example/v2/a/manifests/latest", "127.0.0.1.example/a:latest"),
        (f"http://host/a@{DIGEST}", f"http://host/v2/a/manifests/{DIGEST}", f"host/a@{DIGEST}"),
        ("http://me:secret@host/a", "http://me:secret@host/v2/a/manifests/latest", "host/a:latest"),
        ("me:secret@localhost:1/a", "http://me:secret@localhost:1/v2/a/manifests/latest", "localhost:1/a:latest"),
    ],
)
def test_a_reference_is_a_url_and_shows_no_password(text: str, url: str, shown: str) -> None:
    reference = Reference.parse(text)
    assert (reference.manifest(), str(reference)) == (url, shown)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "host/", "host/A", "host/a:", "host/a:.", "host/a@sha256:1", "ftp://host/a", "host/../a", "h h/a"],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no image in a registry"):
        Reference.parse(text)


def test_a_refusal_shows_no_password() -> None:
    with pytest.raises(ConfigError) as refused:
        Reference.parse("http://me:secret@host/A")
    assert "secret" not in str(refused.value)

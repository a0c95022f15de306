"""Digests and diff IDs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.errors import DigestInvalid
from nixery.images.digest import DiffID, Digest


@given(st.binary())
def test_a_digest_of_data_reads_as_it_is_written(data: bytes) -> None:
    digest = Digest.of(data)
    assert str(digest) == "sha256:" + hashlib.sha256(data).hexdigest()
    assert Digest.parse(str(digest)) == digest


def test_a_diff_id_is_never_equal_to_a_digest() -> None:
    diff_id: object = DiffID.of(b"x")
    assert diff_id != Digest.of(b"x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        "a" * 64,
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "sha512:" + "a" * 128,
        "sha256:" + "a" * 64 + "\n",
        "sha256:../../../etc/passwd",
        "sha256:" + "\u0661" * 64,
    ],
)
def test_a_malformed_digest_is_refused(text: str) -> None:
    with pytest.raises(DigestInvalid):
        Digest.parse(text)


@given(st.text())
def test_hostile_text_raises_nothing_but_digest_invalid(text: str) -> None:
    with pytest.raises(DigestInvalid):
        Digest.parse(text)

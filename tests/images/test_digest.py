"""Digests and diff IDs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.errors import AlgorithmUnknown, DigestInvalid
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
        "sha512:" + "a" * 127,
        "sha512:" + "A" * 128,
        "SHA512:" + "a" * 128,
        "sha256:a+b",
        "sha256+:" + "a" * 64,
        "+b64:" + "a" * 64,
        "a..b:c",
        "blake3:",
        "blake3:a:b",
        "blake3:a/b",
        "blake3:a\n",
        "blake\u0663:a",
        "sha256:" + "a" * 64 + "\n",
        "sha256:../../../etc/passwd",
        "sha256:" + "\u0661" * 64,
    ],
)
def test_a_malformed_digest_is_refused(text: str) -> None:
    with pytest.raises(DigestInvalid) as raised:
        Digest.parse(text)
    assert raised.type is DigestInvalid


@pytest.mark.parametrize(
    "text",
    [
        "sha512:" + "a" * 128,
        "sha384:" + "0" * 96,
        "blake3:0",
        "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3",
        "sha256+b64u:_-=",
        "a.b_c-d+e:A",
    ],
)
def test_a_digest_of_another_algorithm_is_told_from_a_malformed_one(text: str) -> None:
    with pytest.raises(AlgorithmUnknown, match="sha256 alone"):
        Digest.parse(text)


@given(st.text())
def test_hostile_text_raises_nothing_but_digest_invalid(text: str) -> None:
    with pytest.raises(DigestInvalid):
        Digest.parse(text)

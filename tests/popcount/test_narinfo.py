import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.popcount.narinfo import references

DIGEST = "0" * 32
HELLO = f"{DIGEST}-hello-2.12"
GLIBC = f"{'1' * 32}-glibc-2.40"
NARINFO = f"""StorePath: /nix/store/{HELLO}
URL: nar/x.nar.xz
Compression: xz
NarHash: sha256:x
References: {HELLO} {GLIBC}
Deriver: {"2" * 32}-hello.drv
Sig: cache.nixos.org-1:a==
"""


def test_references_are_told_with_the_path_itself() -> None:
    assert references(NARINFO.encode(), DIGEST) == (HELLO, GLIBC)


def test_a_path_may_refer_to_nothing() -> None:
    assert references(f"StorePath: /nix/store/{HELLO}\nReferences: \n".encode(), DIGEST) == ()


@pytest.mark.parametrize(
    "narinfo",
    [
        b"",
        b"<html>",
        b"\xff",
        NARINFO.replace("References", "Refs").encode(),
        NARINFO.replace(f"/nix/store/{DIGEST}", f"/nix/store/{'3' * 32}").encode(),
        NARINFO.replace(GLIBC, "../../etc/passwd").encode(),
        NARINFO.replace(GLIBC, "e" * 32 + "-glibc").encode(),
        NARINFO.replace(GLIBC, f"{'1' * 32}-" + "x" * 212).encode(),
    ],
)
def test_anything_else_is_refused(narinfo: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever the words
        references(narinfo, DIGEST)


@given(st.binary())
def test_any_bytes_are_references_or_refused(data: bytes) -> None:
    try:
        references(data, DIGEST)
    except ValueError:
        return
    raise AssertionError("no bytes that hypothesis finds are a narinfo")

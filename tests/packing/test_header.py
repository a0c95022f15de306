import io
import tarfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nixery.packing.header import BLOCK, DIRECTORY, FILE, LINK, header, padding

COMPONENTS = st.one_of(
    st.text("abc .é\n=", min_size=1, max_size=160).map(lambda text: text.encode()),
    st.binary(min_size=1, max_size=120).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_")),
)
NAMES = st.lists(COMPONENTS, min_size=1, max_size=4).map(b"/".join)


def read(blocks: bytes) -> tarfile.TarInfo:
    assert len(blocks) % BLOCK == 0
    with tarfile.open(fileobj=io.BytesIO(blocks), encoding="utf-8", errors="surrogateescape") as tar:
        member = tar.next()
    assert member is not None
    return member


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@given(NAMES, st.sampled_from([0o444, 0o555, 0o1777]), st.integers(0, 8**11 + 5))
@example(b"n" * 100, 0o444, 8**11 - 1)
@example(b"n" * 101, 0o444, 8**11)
@example(b"p" * 155 + b"/" + b"n" * 100, 0o444, 1)
@example(b"p" * 156 + b"/" + b"n" * 100, 0o444, 1)
@example(b"p" * 155 + b"/" + b"n" * 101, 0o444, 1)
@example(b"/" + b"n" * 100, 0o444, 1)
@example(b"\xff", 0o444, 0)
def test_a_file_keeps_name_mode_and_size(name: bytes, mode: int, size: int) -> None:
    member = read(header(name, FILE, mode, size))
    assert (to_bytes(member.name), member.mode, member.size, member.isreg()) == (name, mode, size, True)


@given(NAMES)
@example(b"n" * 99)
@example(b"n" * 100)
@example(b"p" * 155 + b"/" + b"n" * 99)
@example(b"p" * 155 + b"/" + b"n" * 100)
def test_a_directory_keeps_its_name(name: bytes) -> None:
    blocks = header(name + b"/", DIRECTORY, 0o555)
    member = read(blocks)
    assert (to_bytes(member.name), member.mode, member.isdir()) == (name, 0o555, True)
    assert blocks[-BLOCK] != 0, "some readers stop at an empty name"


@given(NAMES, NAMES)
@example(b"n", b"t" * 100)
@example(b"n", b"t" * 101)
@example(b"\xff", "é".encode())
@example("é".encode(), b"\xff")
def test_a_link_keeps_its_name_and_target(name: bytes, target: bytes) -> None:
    member = read(header(name, LINK, 0o777, target=target))
    assert (to_bytes(member.name), to_bytes(member.linkname), member.issym()) == (name, target, True)


def test_owner_group_and_time_are_constants() -> None:
    member = read(header(b"n" * 300, FILE, 0o444, 1))
    assert (member.uid, member.gid, member.uname, member.gname, member.mtime) == (0, 0, "", "", 1)


@pytest.mark.parametrize("name", [b"n" * 100, b"p" * 155 + b"/" + b"n" * 100])
def test_what_ustar_can_say_takes_one_block(name: bytes) -> None:
    assert len(header(name, FILE, 0o444, 8**11 - 1)) == BLOCK


def test_only_names_that_are_not_utf_8_are_declared_binary() -> None:
    assert b"hdrcharset=BINARY" in header(b"\xff", FILE, 0o444)
    assert b"hdrcharset=BINARY" in header(b"n", LINK, 0o777, target=b"\xff")
    assert b"hdrcharset" not in header("é".encode(), FILE, 0o444)


def test_the_length_of_a_record_counts_its_own_digits() -> None:
    for length in range(80, 1100):
        assert to_bytes(read(header(b"\xff" * length, FILE, 0o444)).name) == b"\xff" * length


@pytest.mark.parametrize(("size", "zeros"), [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511), (1 << 40, 0)])
def test_contents_are_padded_to_blocks(size: int, zeros: int) -> None:
    assert padding(size) == bytes(zeros)

import itertools

from hypothesis import given
from hypothesis import strategies as st

from nixery.concurrency.output import Capped, Lines, last_words


@given(st.lists(st.binary(max_size=40)), st.integers(1, 30))
def test_capped_keeps_head_and_tail(pieces: list[bytes], limit: int) -> None:
    capped = Capped(limit)
    for piece in pieces:
        capped.write(piece)
    whole, kept = b"".join(pieces), bytes(capped)
    if len(whole) <= 2 * limit:
        assert kept == whole
    else:
        assert kept.startswith(whole[:limit])
        assert kept.endswith(whole[-limit:])
        assert b"%d bytes left out" % (len(whole) - 2 * limit) in kept


def test_capped_is_bounded_however_much_comes() -> None:
    capped = Capped(1000)
    for _ in range(1000):
        capped.write(b"x" * 5000)
    assert len(bytes(capped)) < 2100
    assert len(capped._head) + len(capped._tail) <= 3000 + 5000


def test_capped_may_keep_nothing() -> None:
    capped = Capped(0)
    capped.write(b"x" * 1000)
    assert len(capped._tail) == 0
    assert bytes(capped) == b"\n... (1000 bytes left out) ...\n"


def test_capped_text_replaces_what_is_not_utf_8() -> None:
    capped = Capped(10)
    capped.write(b"a\xffb")
    assert capped.text() == "a\ufffdb"


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_lines_are_the_same_however_the_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    got: list[bytes] = []
    lines = Lines(got.append)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    for start, end in itertools.pairwise(edges):
        lines.write(data[start:end])
    lines.end()
    expected = data.split(b"\n")
    assert got == (expected if expected[-1] else expected[:-1])


def test_a_long_line_is_cut_and_the_next_is_whole() -> None:
    got: list[bytes] = []
    lines = Lines(got.append, limit=4)
    lines.write(b"123")
    lines.write(b"456789\nok\n")
    assert got == [b"1234", b"ok"]


def test_the_last_words_are_one_line_that_may_be_shown() -> None:
    words = last_words("first\n\x1b[31msecond \n\nadvice\nfrom https://me:secret@host/x\n", without={"advice"})
    assert words == "[31msecond; from https://host/x"
    assert last_words("a\nb\nc", 3) == "a; b; c"
    assert last_words("x" * 999) == "x" * 400


def test_that_nothing_was_said_is_said() -> None:
    assert last_words("\n \n\x00") == "it said nothing"

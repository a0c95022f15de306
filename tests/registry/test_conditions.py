import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.errors import RangeInvalid
from nixery.registry.conditions import Span, has_it, part

ETAG = '"sha256:abc"'


@pytest.mark.parametrize(
    ("headers", "has"),
    [
        ([], False),
        ([""], False),
        ([ETAG], True),
        (["*"], True),
        ([f'"x", W/{ETAG}'], True),
        (['"x"', ETAG], True),
        (['"x"', '"y"'], False),
        (["sha256:abc"], False),
    ],
)
def test_a_client_says_what_it_has(headers: list[str], has: bool) -> None:
    assert has_it(headers, ETAG) == has


@pytest.mark.parametrize(
    ("range", "span"),
    [
        ("bytes=0-", Span(0, 10)),
        ("bytes=3-", Span(3, 7)),
        ("bytes=3-5", Span(3, 3)),
        ("bytes=9-99", Span(9, 1)),
        ("bytes=-4", Span(6, 4)),
        ("bytes=-99", Span(0, 10)),
        ("Bytes=0-0", Span(0, 1)),
        ("bytes=3-" + "9" * 90, Span(3, 7)),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-3", None),
        ("bytes=0-1,3-4", None),
        ("bytes=a-b", None),
        ("bytes=\u0661-", None),
        ("items=0-1", None),
        ("bytes=3-" + "9" * 9000, None),
    ],
)
def test_a_part_is_one_range_of_bytes(range: str | None, span: Span | None) -> None:
    assert part(range, None, ETAG, 10) == span


@pytest.mark.parametrize(
    ("range", "size"), [("bytes=10-", 10), ("bytes=0-", 0), ("bytes=-0", 10), ("bytes=99-100", 10)]
)
def test_a_part_that_is_not_there_is_refused_with_the_size(range: str, size: int) -> None:
    with pytest.raises(RangeInvalid) as caught:
        part(range, None, ETAG, size)
    assert caught.value.size == size


def test_a_part_of_what_has_changed_since_is_all_of_it() -> None:
    assert part("bytes=3-", ETAG, ETAG, 10) == Span(3, 7)
    assert part("bytes=3-", '"other"', ETAG, 10) is None
    assert part("bytes=3-", "W/" + ETAG, ETAG, 10) is None, "RFC 9110, 13.1.5: only a strong one matches"
    assert part("bytes=3-", "Sat, 21 Nov 2026 00:00:00 GMT", ETAG, 10) is None


@given(st.binary(max_size=30), st.integers(0, 40), st.integers(0, 40))
def test_a_part_is_what_python_cuts_out(data: bytes, first: int, last: int) -> None:
    wanted = data[first : last + 1]
    try:
        span = part(f"bytes={first}-{last}", None, ETAG, len(data))
    except RangeInvalid:
        assert wanted == b""
    else:
        assert (span is None) == (last < first)
        assert span is None or data[span.first : span.first + span.length] == wanted


@given(st.text(max_size=40), st.integers(0, 100))
def test_no_header_ever_asks_for_what_is_not_there(text: str, size: int) -> None:
    try:
        span = part(text, None, ETAG, size)
    except RangeInvalid:
        return
    assert span is None or (span.first >= 0 and span.length > 0 and span.first + span.length <= size)


def test_a_part_may_be_far_into_a_large_content() -> None:
    assert part(f"bytes={10**12}-{10**12 + 9}", None, ETAG, 10**13) == Span(10**12, 10)

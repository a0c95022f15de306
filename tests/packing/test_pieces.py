import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.packing.pieces import PIECE, Pieces


@given(st.lists(st.integers(0, 2 * PIECE + 1), max_size=5))
def test_pieces_have_one_size_and_join_to_what_was_put(sizes: list[int]) -> None:
    taken: list[bytes] = []
    pieces = Pieces(lambda piece: taken.append(bytes(piece)))
    data = [bytes([65 + index]) * size for index, size in enumerate(sizes)]
    for part in data:
        pieces.put(part)
    pieces.end()
    assert b"".join(taken) == b"".join(data)
    assert all(len(piece) == PIECE for piece in taken[:-1])
    assert all(0 < len(piece) <= PIECE for piece in taken)


@pytest.mark.parametrize("before", [0, 1, PIECE - 1])
@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_file_is_read_across_pieces(before: int, size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    taken: list[bytes] = []
    pieces = Pieces(lambda piece: taken.append(bytes(piece)))
    pieces.put(b"A" * before)
    with (tmp_path / "file").open("rb") as file:
        assert pieces.fill(file.fileno(), size) == size
    pieces.end()
    assert b"".join(taken) == b"A" * before + data


def test_a_file_that_ends_early_says_how_much_there_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    pieces = Pieces(lambda piece: None)
    with (tmp_path / "file").open("rb") as file:
        assert pieces.fill(file.fileno(), 10) == 3


def test_no_piece_is_empty() -> None:
    taken: list[bytes] = []
    pieces = Pieces(lambda piece: taken.append(bytes(piece)))
    pieces.put(bytes(PIECE))
    pieces.end()
    pieces.end()
    assert taken == [bytes(PIECE)]


def test_a_file_that_goes_on_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcd")
    for size in (0, 3):
        with (tmp_path / "file").open("rb") as file:
            assert Pieces(lambda piece: None).fill(file.fileno(), size) == size + 1


def test_with_more_buffers_a_piece_stays_what_it_was_for_so_many_more() -> None:
    taken: list[memoryview] = []
    pieces = Pieces(taken.append, 3)
    for number in range(5):
        pieces.put(bytes([number]) * PIECE)
        assert [piece[0] for piece in taken[-3:]] == list(range(number + 1))[-3:]


def test_no_more_buffers_are_made_than_are_asked_for() -> None:
    taken: list[memoryview] = []
    pieces = Pieces(taken.append, 3)
    for _ in range(7):
        pieces.put(bytes(PIECE))
    assert len({id(piece.obj) for piece in taken}) == 3

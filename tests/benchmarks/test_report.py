"""Rows as they are handed from process to process, judged by their targets, and shown."""

from pathlib import Path

import pytest

from benchmarks.report import Row, arguments, at_least, at_most, hand_over, handed_over, table

FASTER = Row("an image, wall", "MB/s", 10, 2, at_least(4))
LARGER = Row("its size", "MB", 10, 8, at_most(1.01))
ALONE = Row("a start", "ms", 500, None, at_most(600))
RECORDED = Row("a GET", "ms", 3, 2, None, "nginx")


def test_rows_come_back_as_they_were_handed_over(tmp_path: Path) -> None:
    rows = [FASTER, LARGER, ALONE, RECORDED]
    hand_over(rows, tmp_path / "rows")
    assert handed_over(tmp_path / "rows") == rows


def test_rows_go_nowhere_unless_there_is_a_file() -> None:
    options = arguments("what it does").parse_args([])
    hand_over([FASTER], options.rows)
    assert not options.short


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (FASTER, True),
        (Row("", "", 8, 2, at_least(4)), True),
        (Row("", "", 7.9, 2, at_least(4)), False),
        (LARGER, False),
        (Row("", "", 8.08, 8, at_most(1.01)), True),
        (ALONE, True),
        (Row("", "", 601, None, at_most(600)), False),
        (RECORDED, None),
    ],
)
def test_a_target_is_on_the_ratio_or_on_ours_where_there_is_no_other(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_the_table_has_a_line_for_each_figure_in_columns_below_each_other() -> None:
    head, *lines = table({"packing": [FASTER, LARGER], "many_blobs": [ALONE, RECORDED]}).splitlines()
    assert [line.split()[0] for line in lines] == ["packing", "packing", "many_blobs", "many_blobs"]
    assert [line[head.index("target") :].split("  ")[0] for line in lines[:3]] == [
        "at least 4",
        "at most 1.01",
        "at most 600",
    ]
    assert lines[0].split("  ")[-1] == "met"
    assert lines[1].split("  ")[-1] == "NOT met"
    assert lines[3].split()[-4:] == ["2", "ms", "nginx", "1.5"]


def test_thousands_are_written_out() -> None:
    assert "28,123 requests/s" in table({"manifests": [Row("by tag", "requests/s", 28123.4)]})


def test_a_table_of_nothing_has_its_head() -> None:
    assert table({}).startswith("benchmark")

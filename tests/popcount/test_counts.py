import json
import os
from pathlib import Path

import pytest

from nixery.images.popularity import Popularity
from nixery.popcount.counts import Counts, write

DIGEST = "0" * 32


def test_each_referrer_counts_and_what_one_refers_to_is_left_out() -> None:
    counts = Counts()
    counts.add([f"{DIGEST}-glibc-2.40", f"{DIGEST}-self-1"])
    counts.add([f"{DIGEST}-glibc-2.40"])
    assert counts.of_shared() == {"glibc-2.40": 2}


def test_paths_of_one_name_count_together() -> None:
    counts = Counts()
    counts.add([f"{DIGEST}-glibc-2.40", f"{'1' * 32}-glibc-2.40"])
    assert counts.of_shared() == {"glibc-2.40": 2}


def test_the_file_is_what_the_daemon_reads(tmp_path: Path) -> None:
    write({"b": 2, "a": 3}, tmp_path / "out.json")
    data = (tmp_path / "out.json").read_bytes()
    assert data == b'{"a":3,"b":2}'
    assert Popularity.parse(data).counts == {"a": 3, "b": 2}


def test_a_failure_leaves_the_older_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.json"
    write({"a": 2}, out)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write({"a": 3}, out)
    assert [*tmp_path.iterdir()] == [out]
    assert json.loads(out.read_text()) == {"a": 2}

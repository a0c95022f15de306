from pathlib import Path

import pytest

from nixery.errors import ConfigError
from nixery.popcount.debian import counts_of_index


def test_an_index_counts_as_it_does_and_architectures_by_the_higher(tmp_path: Path) -> None:
    for architecture, text in {"amd64": '{"libc6-2": 5, "only": 1}', "arm64": '{"libc6-2": 7}'}.items():
        (tmp_path / architecture).mkdir()
        (tmp_path / architecture / "popularity.json").write_text(text)
    assert counts_of_index(tmp_path, []) == {"libc6-2": 7, "only": 1}
    assert counts_of_index(tmp_path, ["amd64"]) == {"libc6-2": 5, "only": 1}


@pytest.mark.parametrize("architectures", [[], ["riscv64"]])
def test_what_is_no_index_is_said(architectures: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        counts_of_index(tmp_path, architectures)


@pytest.mark.parametrize("content", ["", "[]", '{"bash": "many"}', "[" * 100_000])
def test_what_is_no_popularity_file_is_said(content: str, tmp_path: Path) -> None:
    (tmp_path / "amd64").mkdir()
    (tmp_path / "amd64/popularity.json").write_text(content)
    with pytest.raises(ConfigError, match="is no popularity file"):
        counts_of_index(tmp_path, [])

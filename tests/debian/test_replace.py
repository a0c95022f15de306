from pathlib import Path

import pytest

from nixery.debian import replace
from nixery.debian.replace import replaced
from nixery.errors import ConfigError


def put(folder: Path, text: str) -> None:
    with replaced(folder, "mark") as new:
        (new / "mark").write_text(text)


def test_a_folder_appears_as_a_whole(tmp_path: Path) -> None:
    with replaced(tmp_path / "above" / "it", "mark") as new:
        (new / "mark").write_text("x")
        assert not (tmp_path / "above" / "it").exists()
    assert [path.name for path in (tmp_path / "above").iterdir()] == ["it"]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_an_older_folder_is_replaced_and_gone(
    tmp_path: Path, can_exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(one: Path, other: Path) -> None:
        raise OSError

    if not can_exchange:
        monkeypatch.setattr(replace, "_exchange", cannot)
    put(tmp_path / "it", "old")
    put(tmp_path / "it", "new")
    assert (tmp_path / "it" / "mark").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


def test_what_fails_leaves_the_older_folder(tmp_path: Path) -> None:
    put(tmp_path / "it", "old")
    with pytest.raises(ZeroDivisionError), replaced(tmp_path / "it", "mark") as new:
        (new / "mark").write_text(str(1 // 0))
    assert (tmp_path / "it" / "mark").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(ConfigError, match="is left alone"):
        put(tmp_path, "new")
    assert (tmp_path / "precious").exists()


def test_an_empty_folder_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    put(tmp_path / "it", "new")
    assert (tmp_path / "it" / "mark").read_text() == "new"

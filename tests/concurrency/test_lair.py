import os
import shutil
from pathlib import Path

import pytest

from nixery.concurrency.lair import Lair


def test_the_dead_are_removed_and_the_living_kept(tmp_path: Path) -> None:
    living, other = Lair(str(tmp_path)), Lair(str(tmp_path))
    living.open()
    dead = tmp_path / "daemon-dead"
    dead.mkdir()
    (dead / ".lock").touch()
    (tmp_path / "daemon-that-died-before-its-lock").mkdir()
    other.open()
    assert sorted(os.listdir(tmp_path)) == sorted(
        [".lock", os.path.basename(living.path), os.path.basename(other.path)]
    )


def test_nothing_is_left_after_close(tmp_path: Path) -> None:
    lair = Lair(str(tmp_path))
    lair.open()
    Path(lair.path, "x").touch()
    lair.close()
    lair.close()
    assert os.listdir(tmp_path) == [".lock"]
    with pytest.raises(OSError, match="no folder of ours"):
        _ = lair.path


def test_a_folder_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    lair = Lair(str(tmp_path / "parent"))
    lair.open()
    shutil.rmtree(tmp_path / "parent")
    assert Path(lair.path).is_dir()

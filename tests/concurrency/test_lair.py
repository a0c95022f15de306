import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nixery.concurrency.lair import Lair, alone


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


def test_what_is_not_a_lair_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "file").touch()
    Lair(str(tmp_path)).open()
    assert {"theirs", "file"} <= set(os.listdir(tmp_path))


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


def test_threads_that_find_their_folder_removed_make_one_new_one(tmp_path: Path) -> None:
    lair = Lair(str(tmp_path))
    lair.open()
    for _ in range(20):
        shutil.rmtree(lair.path)
        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(lambda _: lair.path, range(8)))) == 1
    lair.close()
    assert os.listdir(tmp_path) == [".lock"]


def test_a_folder_that_another_living_process_has_is_left_to_it(tmp_path: Path) -> None:
    folder = str(tmp_path / "git")
    first = _alone_elsewhere(folder)
    assert _path_of(first) == folder
    second = _alone_elsewhere(folder)
    assert _path_of(second) == f"{folder}.2"
    (tmp_path / "git" / "kept").touch()
    _end(first)
    assert alone(folder) == folder
    assert (tmp_path / "git" / "kept").exists()
    _end(second)


def _alone_elsewhere(folder: str) -> subprocess.Popen[str]:
    code = "import sys; from nixery.concurrency.lair import alone; print(alone(sys.argv[1]), flush=True); input()"
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code, folder], stdin=pipe, stdout=pipe, text=True)


def _path_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n")

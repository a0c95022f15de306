import json
import os
from pathlib import Path

import pytest

from nixery.debian import versions
from nixery.debian.description import write_description, write_files
from nixery.debian.versions import new_version, publish
from nixery.errors import ConfigError

PINS = [letter * 64 for letter in "abcd"]


def write(folder: Path, pin: str, words: str = "") -> None:
    (folder / "index.json").write_text(json.dumps({"pin": pin, "lists": words}))


def put(out: Path, pin: str, words: str = "") -> None:
    with new_version(out) as new:
        write(new, pin, words)
        publish(new, out, pin)


def pin_of(out: Path) -> str:
    pin: str = json.loads((out / "index.json").read_text())["pin"]
    return pin


def kept(out: Path) -> set[str]:
    return {path.name for path in Path(f"{out}.d").iterdir()}


def test_an_index_appears_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "above" / "it"
    with new_version(out) as new:
        write(new, PINS[0])
        assert not out.exists()
        publish(new, out, PINS[0])
    assert pin_of(out) == PINS[0]
    assert sorted(path.name for path in out.parent.iterdir()) == ["it", "it.d"]
    assert kept(out) == {PINS[0]}


def test_who_reads_an_index_goes_on_reading_the_same(tmp_path: Path) -> None:
    put(tmp_path / "it", PINS[0])
    begun = (tmp_path / "it").resolve()
    put(tmp_path / "it", PINS[1])
    assert (pin_of(tmp_path / "it"), pin_of(begun)) == (PINS[1], PINS[0])


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for pin in PINS:
        put(tmp_path / "it", pin)
    assert kept(tmp_path / "it") == set(PINS[-2:])


def test_the_same_packages_are_the_same_folder_that_says_what_it_was_made_of_last(tmp_path: Path) -> None:
    for words in ("first", "second"):
        put(tmp_path / "it", PINS[0], words)
    assert kept(tmp_path / "it") == {PINS[0]}
    assert json.loads((tmp_path / "it/index.json").read_text())["lists"] == "second"


def test_the_folder_and_the_link_may_be_moved_together(tmp_path: Path) -> None:
    put(tmp_path / "here" / "it", PINS[0])
    (tmp_path / "here").rename(tmp_path / "there")
    assert pin_of(tmp_path / "there" / "it") == PINS[0]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_the_folder_of_an_earlier_version_of_nixery_becomes_one_of_the_two(
    tmp_path: Path, can_exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(one: Path, other: Path) -> None:
        raise OSError

    if not can_exchange:
        monkeypatch.setattr(versions, "_exchange", cannot)
    (tmp_path / "it").mkdir()
    write(tmp_path / "it", PINS[0])
    put(tmp_path / "it", PINS[1])
    assert pin_of(tmp_path / "it") == PINS[1]
    assert kept(tmp_path / "it") == set(PINS[:2])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pin": "../../it"}'])
def test_an_older_folder_without_a_pin_is_gone(tmp_path: Path, content: str) -> None:
    (tmp_path / "it").mkdir()
    (tmp_path / "it/index.json").write_text(content)
    put(tmp_path / "it", PINS[1])
    assert pin_of(tmp_path / "it") == PINS[1]
    assert kept(tmp_path / "it") == {PINS[1]}


def test_a_link_of_somebody_else_s_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    write(tmp_path / "theirs", PINS[0])
    (tmp_path / "it").symlink_to("theirs")
    put(tmp_path / "it", PINS[1])
    assert (pin_of(tmp_path / "it"), pin_of(tmp_path / "theirs")) == (PINS[1], PINS[0])


def test_what_fails_leaves_the_older_index(tmp_path: Path) -> None:
    put(tmp_path / "it", PINS[0])
    with pytest.raises(ZeroDivisionError), new_version(tmp_path / "it") as new:
        write(new, str(1 // 0))
    assert pin_of(tmp_path / "it") == PINS[0]
    assert kept(tmp_path / "it") == {PINS[0]}


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    put(tmp_path / "it", PINS[0])
    (tmp_path / "it.d/new-l3ft_0v3").mkdir()
    os.symlink("nowhere", tmp_path / "it.d/new-link")
    put(tmp_path / "it", PINS[1])
    assert kept(tmp_path / "it") == set(PINS[:2])


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(ConfigError, match="is left alone"):
        put(tmp_path, PINS[0])
    assert (tmp_path / "precious").exists()


def test_an_empty_folder_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    put(tmp_path / "it", PINS[0])
    assert pin_of(tmp_path / "it") == PINS[0]


def made(out: Path, words: str = "") -> str:
    with new_version(out) as new:
        write_files(new, {"amd64/names.json": {"hello": 0}})
        pin = write_description(new, ["amd64"], ["suite"], words)
        publish(new, out, pin)
        return pin


def test_an_index_that_a_broken_host_has_left_damaged_is_made_whole(tmp_path: Path) -> None:
    pin = made(tmp_path / "it")
    (tmp_path / "it/amd64/names.json").write_bytes(b"")
    assert made(tmp_path / "it") == pin
    assert json.loads((tmp_path / "it/amd64/names.json").read_text()) == {"hello": 0}
    assert kept(tmp_path / "it") == {pin}


def test_an_index_that_is_whole_is_not_put_anew(tmp_path: Path) -> None:
    made(tmp_path / "it", "first")
    names = (tmp_path / "it/amd64/names.json").stat().st_ino
    made(tmp_path / "it", "second")
    assert (tmp_path / "it/amd64/names.json").stat().st_ino == names
    assert json.loads((tmp_path / "it/index.json").read_text())["lists"] == "second"


def test_what_somebody_else_keeps_beside_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "it.d/new-things").mkdir(parents=True)
    (tmp_path / "it.d/new-notes.txt").write_text("precious")
    pin = made(tmp_path / "it")
    assert kept(tmp_path / "it") == {pin, "new-things", "new-notes.txt"}

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixery.debian import make
from nixery.debian.apt import Apt, Target
from nixery.debian.lists import apt_has_newer
from nixery.debian.make import make_index
from nixery.errors import SourceUnavailable
from tests.debian.debs import lines, paragraph

LISTS = {
    "stable": lines(paragraph("hello", "1", depends="libc6"), paragraph("libc6")),
    "security": lines(paragraph("hello", "2", depends="libc6")),
}
OWN = [Target(Path(suite), "http://mirror.example/debian", suite, 500) for suite in LISTS]


class Machine:
    """An amd64 machine: the lists of its own apt, and those that apt would fetch for us."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lists: Path) -> None:
        self.own = OWN
        self.fetched = OWN
        self.updates = 0
        self.failing = False
        self.folder = lists
        lists.mkdir()
        (lists / "stable_Packages").write_text("x")
        os.utime(lists / "stable_Packages", (5, 5))
        monkeypatch.setattr(Apt, "lists", lambda _: str(lists))
        monkeypatch.setattr(Apt, "targets", self._targets)
        monkeypatch.setattr(Apt, "update", self._update)
        monkeypatch.setattr(make, "host_architecture", lambda: "amd64")
        monkeypatch.setattr(make, "lines", self._lines)

    def _targets(self, architecture: str) -> list[Target]:
        return self.fetched if self.updates else self.own if architecture == "amd64" else []

    def _update(self) -> None:
        if self.failing:
            raise SourceUnavailable("apt-get update ended with status 100")
        self.updates += 1

    def _lines(self, file: Path) -> Iterator[bytes]:
        return iter(LISTS[str(file)])


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(monkeypatch, tmp_path_factory.mktemp("machine") / "lists")


class Told:
    """Progress, written down."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.last: list[bool] = []

    def __call__(self, words: str, last: bool) -> None:
        self.words.append(words)
        self.last.append(last)


@pytest.fixture
def told() -> Told:
    return Told()


def test_an_index_is_made_of_the_machine_s_lists(machine: Machine, tmp_path: Path, told: Told) -> None:
    pin = make_index(tmp_path / "out", ["amd64"], tmp_path / "cache", False, told)
    assert json.loads((tmp_path / "out/index.json").read_text()) == {
        "format": 1, "architectures": ["amd64"], "suites": ["security", "stable"], "pin": pin,
        "lists": {"folder": str(machine.folder), "files": {"stable_Packages": [1, 5_000_000_000]}},
    }  # fmt: skip
    assert json.loads((tmp_path / "out/amd64/names.json").read_text()) == {"hello": 0, "libc6": 0}
    assert told.words[-1] == "amd64: 2 packages, 2 store paths, 0 unmet dependencies"
    assert (told.last[-1], sum(told.last)) == (True, 1)
    assert machine.updates == 0
    assert not (tmp_path / "cache").exists()


def test_the_same_lists_give_the_same_pin(machine: Machine, tmp_path: Path, told: Told) -> None:
    first = make_index(tmp_path / "out", ["amd64"], tmp_path / "cache", False, told)
    machine.own = list(reversed(OWN))
    assert make_index(tmp_path / "out", ["amd64"], tmp_path / "cache", False, told) == first


def test_lists_of_another_architecture_are_fetched(machine: Machine, tmp_path: Path, told: Told) -> None:
    make_index(tmp_path / "out", ["arm64", "amd64", "arm64"], tmp_path / "cache", False, told)
    assert machine.updates == 1
    assert (tmp_path / "cache/apt/arm64/apt.conf").is_file()
    assert (tmp_path / "out/arm64/meta.json").is_file()


def test_newer_lists_are_fetched_when_asked_for(machine: Machine, tmp_path: Path, told: Told) -> None:
    make_index(tmp_path / "out", ["amd64"], tmp_path / "cache", True, told)
    assert machine.updates == 1


def test_without_lists_the_error_says_what_to_do(machine: Machine, tmp_path: Path, told: Told) -> None:
    machine.own = []
    with pytest.raises(SourceUnavailable, match="run apt-get update, or give --update"):
        make_index(tmp_path / "out", ["amd64"], tmp_path / "cache", False, told)
    assert not (tmp_path / "out").exists()
    assert list((tmp_path / "out.d").iterdir()) == []


def test_lists_that_change_while_they_are_read_are_newer(machine: Machine, tmp_path: Path, told: Told) -> None:
    def change(words: str, last: bool) -> None:
        (machine.folder / "stable_Packages").write_text("longer")

    make_index(tmp_path / "out", ["amd64"], tmp_path / "cache", False, change)
    assert apt_has_newer(str(tmp_path / "out"))
    make_index(tmp_path / "out", ["amd64"], tmp_path / "cache", False, told)
    assert not apt_has_newer(str(tmp_path / "out"))


def test_sources_without_the_architecture_are_named_as_the_cause(machine: Machine, tmp_path: Path, told: Told) -> None:
    machine.fetched = []
    with pytest.raises(SourceUnavailable, match="no lists for arm64.*add a source"):
        make_index(tmp_path / "out", ["arm64"], tmp_path / "cache", False, told)


def test_a_fetch_that_fails_is_named_as_the_cause(machine: Machine, tmp_path: Path, told: Told) -> None:
    machine.failing = True
    with pytest.raises(SourceUnavailable, match="no lists for arm64: apt-get update ended"):
        make_index(tmp_path / "out", ["arm64"], tmp_path / "cache", False, told)

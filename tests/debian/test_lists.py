import json
import os
from pathlib import Path

import pytest

from nixery.debian.description import Json
from nixery.debian.lists import apt_has_newer, lists_in

NAME = "mirror.example_dists_stable_main_binary-amd64_Packages"


class Host:
    """A host with lists, and an index made of them."""

    def __init__(self, folder: Path) -> None:
        self.lists = folder / "lists"
        self.index = folder / "index"
        self.lists.mkdir()
        self.index.mkdir()
        self.list(NAME, "one")

    def list(self, name: str, content: str, time: int = 1_000_000_000) -> None:
        (self.lists / name).write_text(content)
        os.utime(self.lists / name, (time, time))

    def make(self, **said: Json) -> None:
        (self.index / "index.json").write_text(json.dumps({"pin": "abc", **said}))

    def newer(self) -> bool:
        return apt_has_newer(str(self.index), str(self.lists))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    host = Host(tmp_path)
    host.make(lists=lists_in(str(host.lists)))
    return host


def test_what_is_unchanged_is_not_newer(host: Host) -> None:
    assert not host.newer()


def test_a_touch_of_the_folder_and_files_that_are_no_lists_do_not_count(host: Host) -> None:
    (host.lists / "lock").write_text("x")
    (host.lists / "partial").mkdir()
    host.list("mirror.example_dists_stable_InRelease", "x", 2_000_000_000)
    os.utime(host.lists)
    assert not host.newer()


def test_a_list_with_another_time_or_size_is_newer(host: Host) -> None:
    host.list(NAME, "two", 1_000_000_001)
    assert host.newer()
    host.list(NAME, "three")
    assert host.newer()


def test_a_list_more_or_less_is_newer(host: Host) -> None:
    host.list(NAME.replace("stable", "security"), "x")
    assert host.newer()
    host.make(lists=lists_in(str(host.lists)))
    (host.lists / NAME).unlink()
    assert host.newer()


def test_without_lists_nothing_is_newer(host: Host) -> None:
    (host.lists / NAME).unlink()
    assert not host.newer()
    host.lists.rmdir()
    assert not host.newer()


def test_an_index_of_another_host_is_left_as_it_is(host: Host) -> None:
    host.make(lists={"folder": str(host.lists), "files": {NAME.replace("mirror", "other"): [3, 1]}})
    assert not host.newer()


def test_lists_where_there_were_none_are_newer(host: Host) -> None:
    host.make(lists={"folder": str(host.lists), "files": {}})
    assert host.newer()


@pytest.mark.parametrize("said", [{}, {"lists": None}])
def test_an_index_that_does_not_say_counts_by_its_time(host: Host, said: dict[str, Json]) -> None:
    host.make(**said)
    came = (host.lists / NAME).stat().st_ctime_ns
    os.utime(host.index / "index.json", ns=(came, came + 1))
    assert not host.newer()
    os.utime(host.index / "index.json", ns=(came, came - 1))
    assert host.newer(), "a list's time of change may be that on its server, and tells nothing of when it came here"


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"lists": 1}', '{"lists": {"folder": 1, "files": {}}}', '{"lists": {"folder": "/x"}}', "[" * 100_000],
)
def test_what_is_no_index_has_nothing_newer(host: Host, content: str) -> None:
    (host.index / "index.json").write_text(content)
    assert not host.newer()


def test_no_index_has_nothing_newer(host: Host) -> None:
    (host.index / "index.json").unlink()
    assert not host.newer()

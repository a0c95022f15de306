import json
from pathlib import Path
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from nixery.debian.description import Json, write_description, write_files
from nixery.debian.index import index
from nixery.debian.packages import newest, read_packages
from tests.debian.debs import contents, lines, paragraph

BASE = "http://mirror.example/debian"
LISTS = [
    paragraph("dash", depends="libc6"),
    paragraph("libc6", "2.36~x", depends="libgcc-s1", section="libs"),
    paragraph("libgcc-s1", depends="libc6", section="libs"),
    paragraph("mawk", "1:1.3", depends="libc6", provides="awk, abi-1a2b3"),
    paragraph("tool", depends="awk", section="utils"),
]


def files(*paragraphs: str) -> dict[str, Json]:
    return dict(index(newest(read_packages(lines(*paragraphs), BASE)), "amd64").files)


def record(found: dict[str, Json], name: str) -> dict[str, Json]:
    (shard,) = (
        cast(dict[str, Json], shard)
        for path, shard in found.items()
        if "groups/" in path and name in cast(dict[str, Json], shard)
    )
    return cast(dict[str, Json], shard[name])


def test_a_record_has_what_nix_needs() -> None:
    assert record(files(*LISTS), "tool") == {
        "version": "1",
        "depends": ["mawk"],
        "programs": True,
        "debs": [[0, "pool/tool_1_all.deb", "A" * 43 + "="]],
    }


def test_a_circle_is_one_record_with_its_debs() -> None:
    found = record(files(*LISTS), "libc6")
    assert (found["depends"], found["programs"], len(cast(list[Json], found["debs"]))) == ([], False, 2)


def test_there_are_256_shards_even_for_few_packages() -> None:
    assert sum(path.startswith("groups/") for path in files(*LISTS)) == 256


def test_names_lead_to_groups_and_providers() -> None:
    assert files(*LISTS)["names.json"] == {
        "awk": "mawk", "dash": 0, "libc6": 0, "libgcc-s1": "libc6", "mawk": 0, "tool": 0,
    }  # fmt: skip


def test_popularity_counts_groups_by_the_name_of_the_store_path() -> None:
    assert files(*LISTS)["popularity.json"] == {"libc6-2.36_x": 2, "mawk-1_1.3": 1}


def test_what_is_implied_is_there_and_its_closure_is_the_core() -> None:
    meta = cast(dict[str, Json], files(*LISTS)["meta.json"])
    assert meta["implied"] == {"programs": ["dash"], "shell": ["dash", "mawk"], "bash": [], "perl": []}
    assert meta["core"] == ["dash", "libc6", "mawk"]


def write(folder: Path, *paragraphs: str) -> str:
    write_files(folder / "amd64", files(*paragraphs))
    return write_description(folder, ["amd64"], ["stable", "stable", "security"])


@settings(max_examples=20)
@given(st.permutations(LISTS))
def test_the_order_of_the_lists_does_not_matter(lists: list[str]) -> None:
    assert json.dumps(files(*lists), sort_keys=True) == json.dumps(files(*LISTS), sort_keys=True)


def test_the_same_lists_give_the_same_bytes_and_pin(tmp_path: Path) -> None:
    assert write(tmp_path / "one", *LISTS) == write(tmp_path / "two", *reversed(LISTS))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_version_gives_another_pin(tmp_path: Path) -> None:
    assert write(tmp_path / "one", *LISTS) != write(
        tmp_path / "two", *LISTS[1:], paragraph("dash", "2", depends="libc6")
    )


def test_the_description_says_what_is_there(tmp_path: Path) -> None:
    pin = write(tmp_path, *LISTS)
    description = json.loads((tmp_path / "index.json").read_text())
    said = {"format": 1, "architectures": ["amd64"], "suites": ["security", "stable"], "pin": pin, "lists": None}
    assert description == said


def test_the_lists_it_was_made_of_are_no_part_of_the_pin(tmp_path: Path) -> None:
    pin = write(tmp_path, *LISTS)
    assert write_description(tmp_path, ["amd64"], [], {"folder": "/lists", "files": {"Packages": [1, 2]}}) == pin

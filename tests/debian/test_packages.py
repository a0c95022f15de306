import pytest

from nixery.debian.packages import Package, newest, read_packages
from tests.debian.debs import lines, paragraph

BASE = "http://mirror.example/debian"


def read(*paragraphs: str, rank: int = 500) -> list[Package]:
    return list(read_packages(lines(*paragraphs), BASE, rank))


def test_a_paragraph_becomes_a_package() -> None:
    text = paragraph("sed", "1:4.9~2", pre_depends="libc6", depends="libacl1", section="main/utils", essential="yes")
    (package,) = read(text)
    assert (package.depends, package.section, package.essential) == ("libc6, libacl1", "utils", True)
    assert (package.base, package.filename) == (BASE, "pool/sed_1:4.9~2_all.deb")
    assert package.store_name == "sed-1_4.9_2"


@pytest.mark.parametrize(
    "fields",
    [
        {"filename": "../../etc/x.deb"},
        {"filename": "pool/../../x.deb"},
        {"filename": "/etc/x.deb"},
        {"filename": "pool/x.deb?y"},
        {"filename": "pool/${x}.deb"},
        {"filename": "pool/x.exe"},
        {"sha256": "abc"},
        {"version": "1.0 2"},
        {"version": "x/../y"},
        {"package": "../sed"},
        {"package": "a b"},
    ],
)
def test_what_could_harm_is_left_out(fields: dict[str, str]) -> None:
    assert [package.name for package in read(paragraph("bad", **fields), paragraph("good"))] == ["good"]


def test_a_paragraph_that_lacks_a_field_is_left_out() -> None:
    assert read("Package: x\nVersion: 1\n\n") == []


def test_the_newest_version_is_taken() -> None:
    chosen = newest(read(paragraph("aa", "9"), paragraph("aa", "10"), paragraph("aa", "9.1")))
    assert chosen["aa"].version == "10"


def test_a_list_that_apt_ranks_lower_is_not_taken_for_a_newer_version() -> None:
    backports = read(paragraph("aa", "2"), paragraph("bb", "2"), rank=100)
    stable = read(paragraph("aa", "1"))
    for lists in ([*backports, *stable], [*stable, *backports]):
        chosen = newest(lists)
        assert (chosen["aa"].version, chosen["bb"].version) == ("1", "2")


def test_choosing_changes_nothing_given() -> None:
    known = newest(read(paragraph("aa", "1")))
    newest(read(paragraph("aa", "2")), known)
    assert known["aa"].version == "1"

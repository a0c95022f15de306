import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.debian.relations import Relation, compare, parse

VERSIONS = st.from_regex(r"([0-2]:)?[0-9][0-9a-c.+~]{0,5}(-[0-9a-c.+~]{1,3})?", fullmatch=True)


def test_a_field_becomes_clauses_of_alternatives() -> None:
    assert parse("libc6 (>= 2.36), default-mta | mail-transport-agent, python3:any") == [
        (Relation("libc6", None, ">=", "2.36"),),
        (Relation("default-mta"), Relation("mail-transport-agent")),
        (Relation("python3", "any"),),
    ]


@pytest.mark.parametrize("field", ["", " ", ", ,", "((((", "a (?? 1)"])
def test_nothing_and_nonsense_are_no_clause(field: str) -> None:
    assert parse(field) == []


@pytest.mark.parametrize(
    ("comparison", "wanted", "met"),
    [
        ("<<", "2.0", True),
        ("<<", "1.0", False),
        ("<=", "1.0", True),
        ("=", "1.0", True),
        ("=", "1.0-1", False),
        (">=", "1.0~rc1", True),
        (">>", "1.0", False),
        ("<", "1.0", True),
        (">", "1.0", True),
    ],
)
def test_version_1_0_meets(comparison: str, wanted: str, met: bool) -> None:
    assert Relation("a", None, comparison, wanted).is_met_by("1.0") is met


def test_a_virtual_package_without_a_version_meets_no_version() -> None:
    assert Relation("a").is_met_by(None)
    assert not Relation("a", None, ">=", "1").is_met_by(None)


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.0~rc1", "1.0"), ("9", "10"), ("2.0", "1:1.0"), ("1.0", "1.0+b1"), ("1.0-1", "1.0-1+deb12u1")],
)
def test_debian_s_order_of_versions(older: str, newer: str) -> None:
    assert compare(older, newer) < 0 < compare(newer, older)


@given(VERSIONS, VERSIONS)
def test_order_is_antisymmetric(first: str, second: str) -> None:
    assert compare(first, second) == -compare(second, first)

"""docs/registry-api.md says what is so."""

import re
from pathlib import Path

import pytest

from nixery.errors import NixeryError
from nixery.images.index import ImageIndex, IndexFormat
from nixery.images.manifest import Format, ImageRecord
from nixery.images.name import Platform
from nixery.registry.negotiation import render

TEXT = (Path(__file__).parent.parent.parent / "docs" / "registry-api.md").read_text()
ROWS = re.findall(r"^\| (\(none\)|`[^`]*/[^`]*`) \| (\w+ \w+) \| (\w+ \w+) \|$", TEXT, re.MULTILINE)
FORMS = {
    "OCI manifest": Format.OCI.value,
    "Docker manifest": Format.DOCKER.value,
    "OCI index": IndexFormat.OCI.value,
    "Docker list": IndexFormat.DOCKER.value,
}
ONE = ImageRecord(Platform.AMD64, ())
SEVERAL = ImageIndex((ONE, ImageRecord(Platform.ARM64, ())))


@pytest.mark.parametrize(("accept", "one", "several"), ROWS)
def test_each_form_is_answered_as_the_table_says(accept: str, one: str, several: str) -> None:
    headers = [] if accept == "(none)" else [accept.strip("`")]
    assert [render(rendered, headers)[1] for rendered in (ONE, SEVERAL)] == [FORMS[one], FORMS[several]]


def test_the_table_has_all_forms() -> None:
    assert len(ROWS) == 9
    assert {form for row in ROWS for form in row[1:]} == set(FORMS)


def test_each_error_that_a_client_can_get_is_listed() -> None:
    listed = {
        (int(status), code)
        for status, codes in re.findall(r"^\| (\d{3}) (`[^|]*`) \|", TEXT, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert listed == {(kind.status, kind.code) for kind in _kinds(NixeryError) if kind.__name__ != "ConfigError"}


def _kinds(kind: type[NixeryError]) -> set[type[NixeryError]]:
    return {kind}.union(*(_kinds(below) for below in kind.__subclasses__()))

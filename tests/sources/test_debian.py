import json
from pathlib import Path

import pytest
import pytest_twisted

from nixery.concurrency.pool import Inline
from nixery.errors import SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.debian import DebianSource


@pytest_twisted.ensureDeferred
async def test_the_index_says_its_own_pin(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"pin": "abc"}))
    source = DebianSource(str(tmp_path), "/expressions/debian", Inline())
    expected = PinnedSource("debian", "abc", "/expressions/debian", (("index", str(tmp_path)),))
    assert await source.pin(Tag("anything")) == expected
    assert await source.still(expected)
    (tmp_path / "index.json").write_text(json.dumps({"pin": "def"}))
    assert not await source.still(expected)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"pin": 1}', "\udcff"])
@pytest_twisted.ensureDeferred
async def test_an_index_that_is_none_says_how_to_make_one(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "index.json").write_text(content, errors="surrogateescape")
    with pytest.raises(SourceUnavailable, match="with `nixery-debian-index "):
        await DebianSource(str(tmp_path), "/expressions/debian", Inline()).pin(Tag("latest"))

import json
from pathlib import Path

import pytest
import pytest_twisted

from nixery.concurrency.pool import Inline
from nixery.errors import ManifestUnknown, SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.debian import DebianSource
from nixery.sources.interfaces import Origin

OLD, NEW = "a" * 64, "b" * 64


def write(folder: Path, pin: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.json").write_text(json.dumps({"pin": pin}))


def put(out: Path, pin: str) -> Path:
    """As nixery-debian-index does; gives the folder."""
    folder = Path(f"{out}.d", pin)
    write(folder, pin)
    out.unlink(missing_ok=True)
    out.symlink_to(folder)
    return folder


def source_of(index: Path) -> DebianSource:
    return DebianSource(str(index), "/expressions/debian", Inline())


@pytest_twisted.ensureDeferred
async def test_the_index_says_its_own_pin(tmp_path: Path) -> None:
    write(tmp_path, "abc")
    source = source_of(tmp_path)
    expected = PinnedSource("debian", "abc", "/expressions/debian", (("index", str(tmp_path)),))
    assert await source.pin(Tag("anything")) == expected
    assert await source.again("abc") == expected
    assert await source.still(expected)
    write(tmp_path, "def")
    assert not await source.still(expected)


@pytest_twisted.ensureDeferred
async def test_what_is_pinned_stays_when_another_index_takes_its_place(tmp_path: Path) -> None:
    source = source_of(tmp_path / "index")
    folder = put(tmp_path / "index", OLD)
    pinned = await source.pin(Tag("latest"))
    assert dict(pinned.arguments) == {"index": str(folder)}
    put(tmp_path / "index", NEW)
    assert (await source.pin(Tag("latest"))).pin == NEW
    assert await source.still(pinned)
    assert await source.again(OLD) == pinned


@pytest_twisted.ensureDeferred
async def test_an_index_that_is_no_longer_kept_is_unknown(tmp_path: Path) -> None:
    source = source_of(tmp_path / "index")
    pinned = PinnedSource("debian", OLD, "/expressions/debian", (("index", f"{tmp_path}/index.d/{OLD}"),))
    put(tmp_path / "index", NEW)
    with pytest.raises(ManifestUnknown, match="no longer kept"):
        await source.again(OLD)
    assert not await source.still(pinned)


@pytest.mark.parametrize("pin", ["../elsewhere", "abc", "", "/", "c" * 64 + "\n", "\0"])
@pytest_twisted.ensureDeferred
async def test_a_pin_that_is_none_leads_nowhere(tmp_path: Path, pin: str) -> None:
    put(tmp_path / "index", NEW)
    write(tmp_path / "elsewhere", pin)
    write(tmp_path / "index.d" / "abc", pin)
    with pytest.raises(ManifestUnknown):
        await source_of(tmp_path / "index").again(pin)


@pytest_twisted.ensureDeferred
async def test_a_folder_with_another_pin_than_its_name_says_is_not_taken_for_it(tmp_path: Path) -> None:
    put(tmp_path / "index", NEW)
    write(tmp_path / "index.d" / OLD, NEW)
    with pytest.raises(ManifestUnknown):
        await source_of(tmp_path / "index").again(OLD)


@pytest_twisted.ensureDeferred
async def test_an_index_that_others_replace_may_be_newer_though_it_is_not_refreshed(tmp_path: Path) -> None:
    source = source_of(tmp_path / "index")
    put(tmp_path / "index", OLD)
    pinned = await source.pin(Tag("latest"))
    assert not await source.renew(pinned)
    put(tmp_path / "index", NEW)
    assert await source.renew(pinned)


def test_last_good_images_are_kept_by_where_the_index_is() -> None:
    source = source_of(Path("/var/index"))
    assert source.lasting(Tag("v1"))
    assert source.origin == Origin("debian /var/index", refs=False)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"pin": 1}', "\udcff", "[" * 100_000])
@pytest_twisted.ensureDeferred
async def test_an_index_that_is_none_says_how_to_make_one(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "index.json").write_text(content, errors="surrogateescape")
    with pytest.raises(SourceUnavailable, match="with `nixery-debian-index "):
        await source_of(tmp_path).pin(Tag("latest"))

import os
from pathlib import Path

import pytest
import pytest_twisted

from nixery.concurrency.pool import Inline
from nixery.errors import SourceUnavailable
from nixery.images.name import Tag
from nixery.sources.path import PathSource, content_hash

LATEST = Tag("latest")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set" / "sub").mkdir(parents=True)
    (tmp_path / "set" / "default.nix").write_text("{ }")
    (tmp_path / "set" / "sub" / "a.nix").write_text("1")
    return tmp_path / "set"


@pytest_twisted.ensureDeferred
async def test_the_pin_is_the_contents_whatever_the_place_and_the_tag(folder: Path) -> None:
    source = PathSource(str(folder), Inline())
    pinned = await source.pin(LATEST)
    assert (pinned.kind, pinned.expression) == ("path", str(folder))
    assert await source.pin(Tag("v1")) == pinned
    moved = folder.rename(folder.with_name("moved"))
    assert (await PathSource(str(moved), Inline()).pin(LATEST)).pin == pinned.pin


def edit_content(folder: Path) -> None:
    (folder / "sub" / "a.nix").write_text("2")


def edit_mode(folder: Path) -> None:
    (folder / "sub" / "a.nix").chmod(0o755)


def edit_name(folder: Path) -> None:
    (folder / "sub" / "a.nix").rename(folder / "sub" / "b.nix")


def edit_place(folder: Path) -> None:
    (folder / "sub" / "a.nix").rename(folder / "suba.nix")


def edit_link(folder: Path) -> None:
    (folder / "link").symlink_to("elsewhere")


def edit_folder(folder: Path) -> None:
    (folder / "empty").mkdir()


def edit_odd_name(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\n")).write_text("")


@pytest.mark.parametrize(
    "edit", [edit_content, edit_mode, edit_name, edit_place, edit_link, edit_folder, edit_odd_name]
)
def test_every_edit_is_another_content(folder: Path, edit: object) -> None:
    before = content_hash(str(folder))
    assert callable(edit)
    edit(folder)
    assert content_hash(str(folder)) != before


def test_times_and_git_are_not_content(folder: Path) -> None:
    before = content_hash(str(folder))
    os.utime(folder / "default.nix", (1, 1))
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("x")
    assert content_hash(str(folder)) == before


@pytest_twisted.ensureDeferred
async def test_one_file_may_be_the_set_and_a_link_may_lead_to_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder / "default.nix")
    direct = await PathSource(str(folder / "default.nix"), Inline()).pin(LATEST)
    assert (await PathSource(str(tmp_path / "link"), Inline()).pin(LATEST)).pin == direct.pin


@pytest_twisted.ensureDeferred
async def test_a_store_path_is_its_own_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_path = tmp_path / ("a" * 32 + "-set")
    store_path.mkdir(mode=0o555)
    assert (await PathSource(str(store_path), Inline()).pin(LATEST)).pin == str(store_path)
    store_path.chmod(0o755)
    assert len((await PathSource(str(store_path), Inline()).pin(LATEST)).pin) == 64


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="gone cannot be read: No such file"):
        await PathSource(str(tmp_path / "gone"), Inline()).pin(LATEST)

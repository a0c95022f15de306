"""The Debian package set moves with apt's lists, and past packages that have left the mirror."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import need
from tests.integration.daemon import Answer, Daemon, running
from tests.integration.debian_mirror import Mirror, mirror_in

ANEW = b"was made anew of "


@pytest.fixture
def mirror(tmp_path: Path, salt: str) -> Iterator[Mirror]:
    need("apt-get", "dpkg-deb")
    with mirror_in(tmp_path / "mirror", salt) as mirror:
        mirror.publish(tool="1", other="1")
        mirror.update()
        mirror.index(tmp_path / "index")
        yield mirror


@pytest.fixture
def debian(tmp_path: Path, mirror: Mirror) -> Iterator[Daemon]:
    settings = {"NIXERY_DEBIAN_INDEX": str(tmp_path / "index"), "NIXERY_SOURCE_TTL": "0", **mirror.environment}
    with running(tmp_path / "daemon", **settings) as daemon:
        yield daemon


def content(debian: Daemon, answer: Answer, name: str) -> str:
    """Of a package's one file, in the image's layers."""
    assert answer.status == 200, answer.body.decode()
    for digest in answer.layers:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(debian.blob(digest).body))) as layer:
            for member in layer:
                if member.isreg() and member.name.endswith(f"/usr/share/{name}"):
                    file = layer.extractfile(member)
                    assert file is not None
                    return file.read().decode()
    raise AssertionError(f"no {name} in the image")


def test_newer_lists_are_in_the_next_image(debian: Daemon, mirror: Mirror) -> None:
    first = debian.pull("tool")
    assert content(debian, first, "tool") == f"1 {mirror.salt}"
    assert debian.pull("tool").body == first.body
    assert debian.log.count(ANEW) == 0
    mirror.publish(tool="2", other="1")
    assert debian.pull("tool").body == first.body, "only apt's lists tell"
    mirror.update()
    assert content(debian, debian.pull("tool"), "tool") == f"2 {mirror.salt}"
    assert content(debian, debian.pull("other"), "other") == f"1 {mirror.salt}"
    assert debian.log.count(ANEW + b"apt's lists") == debian.log.count(ANEW) == 1
    mirror.update()
    debian.pull("tool")
    assert debian.log.count(ANEW) == 1, "lists that apt has looked at again are not newer"


def test_a_package_that_has_left_the_mirror_is_had_in_its_newer_version(debian: Daemon, mirror: Mirror) -> None:
    mirror.publish(tool="2", other="2")
    names = ("tool", "tool", "other")
    contents = [content(debian, *pulled) for pulled in zip(debian.pull_at_once(*names), names, strict=True)]
    assert contents == [f"2 {mirror.salt}"] * 3
    assert debian.log.count(ANEW + b"lists that apt fetched for it") == debian.log.count(ANEW) == 1


def test_a_package_that_has_left_the_mirror_for_good_is_looked_for_once(debian: Daemon, mirror: Mirror) -> None:
    for deb in (mirror.site / "pool").iterdir():
        deb.unlink()
    for name in ("tool", "other", "tool"):
        answer = debian.pull(name)
        assert answer.status == 500
        assert "404" in answer.error["message"], answer.error
    assert debian.log.count(ANEW) == 1


def test_an_index_that_cannot_be_made_anew_goes_on_being_served(debian: Daemon, mirror: Mirror) -> None:
    first = debian.pull("tool")
    mirror.publish(tool="2", other="1")
    mirror.update()
    (mirror.folder / "sources.list").write_text("this is no source\n")
    again = debian.pull("tool")
    assert (again.status, again.body) == (200, first.body)
    assert debian.log.count(b"stays as it is: ") == 1
    (mirror.folder / "sources.list").write_text(mirror.source)
    assert content(debian, debian.pull("tool"), "tool") == f"2 {mirror.salt}"

"""Go Nixery's fault 8: empty directories dropped, no directory entries, /tmp is 0555, the host's uid/gid in headers."""

import gzip
import io
import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from nixery.images.graph import StorePath
from nixery.images.root import join
from nixery.packing.layer import pack_paths, pack_root
from nixery.packing.listing import StoreListing

NewObject = Callable[[str], StorePath]


@pytest.fixture
def package(new_object: NewObject) -> StorePath:
    """A package with an empty directory, on a disk where it belongs to somebody."""
    path = new_object("package")
    os.makedirs(f"{path}/var/empty")
    os.makedirs(f"{path}/bin")
    Path(f"{path}/bin/tool").write_bytes(b"#!/bin/sh\n")
    if os.geteuid() == 0:
        for name in ("bin/tool", "bin", "var/empty", "var", ""):
            os.chown(f"{path}/{name}", 12345, 23456)
    return path


def members(pack: Callable[[int], object]) -> dict[str, tarfile.TarInfo]:
    with tempfile.TemporaryFile() as file:
        pack(file.fileno())
        file.seek(0)
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(file.read()))) as tar:
            return {member.name: member for member in tar}


def layer(package: StorePath) -> dict[str, tarfile.TarInfo]:
    return members(lambda descriptor: pack_paths([package], descriptor, Event()))


def root(package: StorePath) -> dict[str, tarfile.TarInfo]:
    entries = join([package], StoreListing(package.directory))
    return members(lambda descriptor: pack_root(entries, descriptor, Event()))


def test_fault_8_empty_directories_are_kept(package: StorePath) -> None:
    assert layer(package)[f"{package}/var/empty"[1:]].isdir()


def test_fault_8_every_directory_has_an_entry_before_what_is_in_it(package: StorePath) -> None:
    for found in (layer(package), root(package)):
        seen = {""}
        for name, member in found.items():
            assert os.path.dirname(name) in seen
            if member.isdir():
                seen.add(name)


def test_fault_8_tmp_is_open_to_everyone(package: StorePath) -> None:
    tmp = root(package)["tmp"]
    assert (tmp.isdir(), tmp.mode) == (True, 0o1777)


def test_fault_8_everything_belongs_to_root(package: StorePath) -> None:
    for found in (layer(package), root(package)):
        assert {(member.uid, member.gid, member.uname, member.gname) for member in found.values()} == {(0, 0, "", "")}

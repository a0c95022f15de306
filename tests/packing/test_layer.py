import errno
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from nixery.errors import PackingFailed, ShuttingDown, StorageUnavailable
from nixery.images.entries import RootCopy, RootDirectory, RootEntry, RootFile, RootLink
from nixery.images.graph import StorePath
from nixery.images.manifest import Layer
from nixery.packing.layer import pack_paths, pack_root
from nixery.packing.pieces import PIECE

NewObject = Callable[[str], StorePath]
ROOT: list[tuple[str, RootEntry]] = [
    ("bin", RootDirectory(0o755)),
    ("bin/sh", RootLink("/nix/store/x/bin/sh")),
    ("etc", RootDirectory(0o755)),
    ("etc/" + "n" * 120, RootFile(b"long\n", 0o644)),
    ("etc/\udcff", RootFile(b"not UTF-8\n", 0o644)),
    ("etc/é", RootFile(b"x" * (PIECE + 1), 0o644)),
    ("tmp", RootDirectory(0o1777)),
]


def paths_packed(*paths: StorePath) -> tuple[Layer, bytes]:
    with tempfile.TemporaryFile() as file:
        layer = pack_paths(paths, file.fileno(), Event(), "a comment")
        file.seek(0)
        return layer, file.read()


def root_packed(entries: list[tuple[str, RootEntry]]) -> tuple[Layer, bytes]:
    with tempfile.TemporaryFile() as file:
        layer = pack_root(entries, file.fileno(), Event())
        file.seek(0)
        return layer, file.read()


def gunzipped(blob: bytes) -> bytes:
    """By zlib, member by member, as the RFC has it."""
    tar = b""
    while blob:
        member = zlib.decompressobj(wbits=31)
        tar += member.decompress(blob)
        assert member.eof
        blob = member.unused_data
    return tar


def members(blob: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(gunzipped(blob)), encoding="utf-8", errors="surrogateescape") as tar:
        return tar.getmembers()


def test_diff_id_digest_size_and_comment_are_those_of_what_was_written(new_object: NewObject) -> None:
    path = new_object("data")
    Path(path.text).write_bytes(os.urandom(3 * PIECE + 100))
    layer, blob = paths_packed(path)
    assert layer.digest.hex == hashlib.sha256(blob).hexdigest()
    assert layer.diff_id.hex == hashlib.sha256(gunzipped(blob)).hexdigest()
    assert (layer.size, layer.comment) == (len(blob), "a comment")


def test_each_piece_of_the_tar_is_one_member(new_object: NewObject) -> None:
    path = new_object("data")
    Path(path.text).write_bytes(bytes(2 * PIECE))
    _, blob = paths_packed(path)
    sizes = []
    while blob:
        member = zlib.decompressobj(wbits=31)
        sizes.append(len(member.decompress(blob)))
        blob = member.unused_data
    assert sizes[:2] == [PIECE, PIECE]
    assert 0 < sizes[2] < PIECE


def test_the_directories_above_come_first_once_and_writable_by_their_owner(new_object: NewObject) -> None:
    paths = [new_object("a"), new_object("b")]
    for path in paths:
        Path(path.text).symlink_to("elsewhere")
    found = members(paths_packed(*paths)[1])
    above = [parent.as_posix()[1:] for parent in Path(paths[0].text).parents][-2::-1]
    assert [member.name for member in found] == [*above, *(path.text[1:] for path in paths)]
    assert {(member.isdir(), member.mode) for member in found[:-2]} == {(True, 0o755)}


def test_order_and_repetition_of_paths_do_not_matter(new_object: NewObject) -> None:
    a, b, c = (new_object(name) for name in "abc")
    for path in (a, b, c):
        Path(path.text).write_text(path.name)
    assert paths_packed(c, a, b, a) == paths_packed(a, b, c)


def test_no_paths_are_an_empty_tar() -> None:
    assert members(paths_packed()[1]) == []


def test_root_entries_come_out_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"copied")
    entries = [*ROOT, ("usr", RootCopy(os.fspath(tmp_path / "source"), 0o4755))]
    found = members(root_packed(entries)[1])
    assert [(member.name, member.mode) for member in found] == [
        (path, 0o777 if isinstance(entry, RootLink) else entry.mode) for path, entry in entries
    ]
    assert found[1].linkname == "/nix/store/x/bin/sh"
    assert [member.size for member in found if member.isreg()] == [5, 10, PIECE + 1, 6]


GOLDEN_ROOT = (
    "64a3dce20611b067042b6bfb056d1a72d607a44b8c274a3d73514beb9fba822e",
    "295d167d8a1e1be190d51360412159f88fa8d64f3ab1da1b5eea347ed7ace26b",
)


def test_the_bytes_of_a_root_have_not_drifted() -> None:
    layer, _ = root_packed(ROOT)
    assert (layer.diff_id.hex, layer.digest.hex) == GOLDEN_ROOT


# What is under this path is named so in the tar, wherever the test runs.
HERE = "/proc/self/cwd/00000000000000000000000000000000-golden"
GOLDEN = (
    "7bfdc1ba11472b8702f5b7c1e49bde0e1ef448a039fe9f622ac6c0d770a2c3a1",
    "1b620d524441626903a7fcc0a3b3ef31e19b69bd8424e785666dc3b236d12c8e",
)


@pytest.fixture
def golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StorePath:
    monkeypatch.chdir(tmp_path)
    path = StorePath.parse(HERE)
    os.makedirs(f"{HERE}/share/empty")
    for name, data, mode in [("run", b"#!/bin/sh\n", 0o700), ("share/\udcfe é", b"text\n" * 300_000, 0o664)]:
        Path(HERE, name).write_bytes(data)
        Path(HERE, name).chmod(mode)
    Path(HERE, "link").symlink_to("share/" + "n" * 150)
    return path


def test_the_bytes_of_a_store_path_have_not_drifted(golden: StorePath) -> None:
    layer, _ = paths_packed(golden)
    assert (layer.diff_id.hex, layer.digest.hex) == GOLDEN


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    ],
)
def test_time_zone_locale_umask_and_hash_seed_do_not_matter(golden: StorePath, environment: dict[str, str]) -> None:
    code = (
        "import os, sys, threading, tempfile; os.umask(0o777)\n"
        "from nixery.images.graph import StorePath\n"
        "from nixery.packing.layer import pack_paths\n"
        "layer = pack_paths([StorePath.parse(sys.argv[1])], os.open(os.devnull, os.O_WRONLY), threading.Event())\n"
        "print(layer.diff_id.hex, layer.digest.hex)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **environment}
    command = [sys.executable, "-c", code, golden.text]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert tuple(output.split()) == GOLDEN


def test_a_full_disk_is_unavailable_storage(golden: StorePath) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(StorageUnavailable, match=r"No space left on device; is the disk .* full\?"):
            pack_paths([golden], full, Event())
    finally:
        os.close(full)


def test_short_writes_are_completed(golden: StorePath, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = paths_packed(golden)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:1000]))
    assert paths_packed(golden) == whole


def test_an_error_in_the_midst_of_a_write_is_unavailable_storage(
    golden: StorePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(descriptor: int, data: bytes) -> int:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StorageUnavailable, match="quota exceeded"):
        paths_packed(golden)


def test_a_set_event_ends_it_at_the_next_piece(new_object: NewObject, monkeypatch: pytest.MonkeyPatch) -> None:
    path = new_object("data")
    Path(path.text).write_bytes(bytes(5 * PIECE))
    cancelled = Event()
    written = []

    def write(descriptor: int, data: bytes) -> int:
        cancelled.set()
        written.append(bytes(data))
        return len(data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(ShuttingDown):
        pack_paths([path], -1, cancelled)
    assert len(gunzipped(b"".join(written))) == PIECE


def test_a_missing_copy_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackingFailed, match=r"cannot read '.*/absent'"):
        root_packed([("a", RootCopy(os.fspath(tmp_path / "absent"), 0o644))])

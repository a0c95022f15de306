"""What benchmarks look at: a wrong answer, a blob that is not what its name says, and what is in layers."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from benchmarks.daemons import Daemon
from benchmarks.report import WrongResult
from benchmarks.results import contents, expect, fetched, layers_of
from tests.loopback import Answering, listening

Bodies = dict[str, bytes]
"""By path."""


class Registry(Answering[Bodies], BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.state[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def bodies() -> Bodies:
    return {}


@pytest.fixture
def daemon(tmp_path: Path, bodies: Bodies) -> Iterator[Daemon]:
    (tmp_path / "layers").mkdir()
    with listening(lambda *arguments, **more: Registry(bodies, *arguments, **more)) as port:
        yield Daemon(0, f"http://127.0.0.1:{port}", tmp_path / "log", tmp_path)


def kept(daemon: Daemon, data: bytes) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    (daemon.storage / "layers" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def packed(path: Path, name: str, data: bytes) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return path


def test_an_answer_with_other_bytes_is_wrong(daemon: Daemon, bodies: Bodies) -> None:
    bodies["/"] = b"right"
    assert fetched(f"{daemon.root}/", hashlib.sha256(b"right").hexdigest()) == b"right"
    with pytest.raises(WrongResult, match="127"):
        fetched(f"{daemon.root}/", hashlib.sha256(b"wrong").hexdigest())


def test_an_image_s_layers_are_where_its_manifest_says(daemon: Daemon, bodies: Bodies) -> None:
    manifest = {"config": kept(daemon, b"{}"), "layers": [kept(daemon, b"one"), kept(daemon, b"two")]}
    bodies["/v2/image/manifests/latest"] = json.dumps(manifest).encode()
    layers = layers_of(daemon, "image")
    assert [layer.read_bytes() for layer in layers] == [b"one", b"two"]
    layers[1].write_bytes(b"too")
    with pytest.raises(WrongResult, match=layers[1].name):
        layers_of(daemon, "image")


def test_the_same_contents_are_the_same_however_they_are_packed(tmp_path: Path) -> None:
    one = packed(tmp_path / "one", "/store/file", b"bytes")
    assert contents([one]) == contents([packed(tmp_path / "two", "store/file", b"bytes")])
    assert contents([one]) != contents([packed(tmp_path / "three", "store/file", b"others")])
    assert contents([one]) != contents([packed(tmp_path / "four", "store/other", b"bytes")])


def test_what_differs_is_named() -> None:
    expect(1, 1, "layers")
    with pytest.raises(WrongResult, match="layers: 1 instead of 2"):
        expect(1, 2, "layers")

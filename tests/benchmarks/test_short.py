"""The short form of every benchmark goes through every step, and what is wrong fails it."""

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import many_blobs, packing
from benchmarks.report import WrongResult
from benchmarks.stores import MB, closure_of, grown

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", list(benchmarks.BENCHMARKS))
def test_the_short_form_ends_well_and_gives_rows(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    one = benchmarks.BENCHMARKS[name]
    if (lacking := one.lacking(short=True)) and not os.environ.get("CI"):
        pytest.skip(f"needs {', '.join(lacking)}")
    assert benchmarks.main(["--short", "--pictures", str(tmp_path), name]) == 0
    rows = [line for line in capfd.readouterr().out.splitlines() if line.startswith(f"{name}  ")]
    assert rows
    assert not one.picture or ElementTree.parse(tmp_path / f"{name}.svg").getroot().tag.endswith("svg")


def test_a_blob_with_other_bytes_is_a_wrong_result(monkeypatch: pytest.MonkeyPatch) -> None:
    make = many_blobs.make

    def damaged(layers: Path, blobs: int) -> None:
        make(layers, blobs)
        (layers / many_blobs.named(7)).write_bytes(b"8")

    monkeypatch.setattr(many_blobs, "make", damaged)
    with pytest.raises(WrongResult, match=many_blobs.named(7)):
        many_blobs.main(["--short"])


def test_layers_without_what_the_peer_packed_are_a_wrong_result(tmp_path: Path) -> None:
    (tmp_path / "graphs").mkdir()
    graph = grown(tmp_path / "store", MB // 10, 2)
    (tmp_path / "graphs" / "image").write_bytes(graph)
    closure = closure_of(graph)
    peer, folder = tmp_path / "peer", str(next(iter(closure.paths)))
    peer.write_text(f"#!/bin/sh\ntar -cPf $2/0 --transform s/share/shard/ {folder}\n")
    peer.chmod(0o755)
    with pytest.raises(WrongResult, match="shard"):
        packing.check(str(peer), tmp_path / "graphs", "image", closure)
    peer.write_text(f"#!/bin/sh\ntar -cPf $2/0 {folder}\n")
    packing.check(str(peer), tmp_path / "graphs", "image", closure)

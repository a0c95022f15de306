import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from nixery.commands import popcount
from nixery.commands.popcount import main
from nixery.errors import NixUnavailable, SourceUnavailable
from nixery.popcount import nix
from nixery.popcount.counts import Counts
from nixery.popcount.crawl import Found
from nixery.popcount.fetched import CacheCount

SHARED = f"{'0' * 32}-glibc-2"


def counted(*references: str) -> Counts:
    counts = Counts()
    counts.add(references)
    return counts


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_channel_is_counted_and_what_is_missing_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: list[CacheCount] = []

    async def run(count: CacheCount, reactor: object) -> Found:
        counts.append(count)
        return Found(counted(SHARED, SHARED), 5, 2)

    def at_once(work: Callable[[None], Coroutine[Any, Any, Found]]) -> Found:
        found = Deferred.fromCoroutine(work(None)).result
        assert isinstance(found, Found)
        return found

    monkeypatch.setattr(CacheCount, "run", run)
    monkeypatch.setattr(popcount, "reacting", at_once)
    out = tmp_path / "out.json"
    assert main([str(out), "--channel", "nixos-1", "--cache", "https://host"]) == 0
    assert json.loads(out.read_text()) == {"glibc-2": 2}
    assert [(count.cache, count.folder) for count in counts] == [("https://host", tmp_path / "cache" / "nixery")]
    told = capsys.readouterr()
    assert told.out == f"{out}: 1 names\n"
    assert told.err == "5 of 5 store paths\n2 of them are not in the cache, and count for nothing\n"


@pytest.mark.parametrize("paths", [[], ["/nix/store/x"]])
def test_a_store_is_counted(paths: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[Path]] = []

    def count_store(paths: list[Path]) -> Counts:
        asked.append(paths)
        return counted(SHARED, SHARED)

    monkeypatch.setattr(nix, "count_store", count_store)
    assert main([str(tmp_path / "out"), "--store", *paths]) == 0
    assert asked == [[Path(path) for path in paths]]


def test_an_index_is_taken(tmp_path: Path) -> None:
    (tmp_path / "amd64").mkdir()
    (tmp_path / "amd64" / "popularity.json").write_text('{"libc6": 3}')
    assert main([str(tmp_path / "out"), "--debian-index", str(tmp_path), "--arch", "amd64"]) == 0
    assert json.loads((tmp_path / "out").read_text()) == {"libc6": 3}


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["out"],
        ["out", "--channel", "a", "--set", "b"],
        ["out", "--channel", "../a"],
        ["out", "--channel", "a/b"],
        ["out", "--debian-index", "x", "--arch", "../x"],
    ],
)
def test_wrong_arguments_are_refused(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(argv)
    assert refused.value.code == 2


@pytest.mark.parametrize("error", [SourceUnavailable("it is silent"), NixUnavailable("no nix"), OSError(28, "full")])
def test_an_error_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(options: object) -> None:
        raise error

    monkeypatch.setattr(popcount, "_counts", fail)
    assert main([str(tmp_path / "out"), "--store"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert told.err.startswith("nixery-popcount: ")


def test_an_interrupted_count_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupt(work: object) -> Found:
        raise KeyboardInterrupt

    monkeypatch.setattr(popcount, "reacting", interrupt)
    assert main([str(tmp_path / "out"), "--channel", "nixos-1"]) == 130
    assert "run it again" in capsys.readouterr().err

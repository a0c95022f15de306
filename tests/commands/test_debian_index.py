from collections.abc import Iterable
from pathlib import Path

import pytest

from nixery.commands import debian_index
from nixery.commands.debian_index import main
from nixery.debian.make import Progress
from nixery.errors import SourceUnavailable

Call = tuple[Path, list[str], bool]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    made: list[Call] = []

    def make_index(out: Path, architectures: Iterable[str], cache: Path, update: bool, progress: Progress) -> str:
        made.append((out, list(architectures), update))
        return "f00d"

    monkeypatch.setattr(debian_index, "make_index", make_index)
    return made


@pytest.mark.parametrize(
    ("argv", "call"),
    [
        (["out"], (Path("out"), ["amd64"], False)),
        (["out", "--arch", "amd64", "arm64"], (Path("out"), ["amd64", "arm64"], False)),
        (["--arch", "arm64", "--arch", "armhf", "--update", "out"], (Path("out"), ["arm64", "armhf"], True)),
    ],
)
def test_arguments_become_one_call(
    argv: list[str], call: Call, calls: list[Call], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 0
    assert calls == [call]
    assert capsys.readouterr().out == "out: f00d\n"


@pytest.mark.parametrize("argv", [[], ["out", "--arch", "../x"], ["out", "--arch", "a;b"]])
def test_wrong_arguments_call_nothing(argv: list[str], calls: list[Call]) -> None:
    with pytest.raises(SystemExit):
        main(argv)
    assert calls == []


@pytest.mark.parametrize("error", [SourceUnavailable("no lists"), PermissionError(13, "Permission denied")])
def test_an_error_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> str:
        raise error

    monkeypatch.setattr(debian_index, "make_index", fail)
    assert main(["out"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("nixery-debian-index: ")
    assert told.err.count("\n") == 1

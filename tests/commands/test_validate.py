import io

import pytest

from nixery.commands import validate
from nixery.commands.validate import main
from nixery.validating.checks import Checks
from nixery.validating.run import Validation


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Validation]:
    """The validations that are run; of what is called `bad`, one check of two fails."""
    runs: list[Validation] = []

    def reacting(run: object) -> None:
        validation = run.__self__  # type: ignore[attr-defined]  # a bound method
        assert isinstance(validation, Validation)
        runs.append(validation)
        for reference in validation.references:
            checks = Checks()
            place = checks.at(str(reference))
            place.equal("it is", 1, 1)
            place.equal("it is good", reference.name, reference.name.replace("bad", "good"))
            validation.step(1, 2)
            validation.tell(reference, checks)

    monkeypatch.setattr(validate, "reacting", reacting)
    return runs


def test_what_holds_is_one_line_and_status_0(made: list[Validation], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["host/a", "host/b:c", "--seconds", "7"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("host/a:latest: 2 checks, 0 failed\nhost/b:c: 2 checks, 0 failed\n", "")
    assert [run.seconds for run in made] == [7]


def test_what_does_not_hold_is_told_and_status_1(made: list[Validation], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["host/bad", "host/a"]) == 1
    assert capsys.readouterr().out == (
        "FAIL host/bad:latest: it is good: 'bad' instead of 'good'\n"
        "host/bad:latest: 2 checks, 1 failed\n"
        "host/a:latest: 2 checks, 0 failed\n"
    )


def test_all_is_told_when_it_is_asked_for(made: list[Validation], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-v", "host/a"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "ok   host/a:latest: it is"


def test_a_terminal_shows_progress_that_is_gone_before_what_was_found(
    made: list[Validation], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, times = Terminal(), iter(range(9))
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    assert main(["host/a"]) == 0
    assert terminal.getvalue() == f"\r\x1b[K[{'#' * 15}{'.' * 15}] 1 of 2 bytes\r\x1b[K"


@pytest.mark.parametrize(("argv", "proxy"), [(["hello"], ""), (["host/A"], ""), (["host/a"], "ftp://x/y")])
def test_a_wrong_argument_or_setting_is_one_line(
    argv: list[str], proxy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    assert main(argv) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert told.err.startswith("nixery-validate: ")


def test_an_interrupt_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(run: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(validate, "reacting", interrupted)
    assert main(["host/a"]) == 130
    assert capsys.readouterr().err == "nixery-validate: interrupted\n"

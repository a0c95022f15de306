"""`python -m benchmarks`: what fails it, what is skipped, and what it draws. Benchmarks are made up here."""

from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.__main__ import Benchmark, main
from benchmarks.report import Row, at_most, hand_over


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def only(monkeypatch: pytest.MonkeyPatch, one: Benchmark) -> None:
    monkeypatch.setattr(benchmarks, "BENCHMARKS", {"made_up": one})


def test_a_benchmark_that_fails_fails_all(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    only(monkeypatch, Benchmark())
    assert main([]) == 1
    assert "benchmarks.made_up failed" in capfd.readouterr().err


def test_what_lacks_a_tool_is_skipped_but_in_ci(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, Benchmark(("no-such-tool",)))
    assert main(["--short"]) == 0
    assert "made_up is skipped: it needs no-such-tool" in capfd.readouterr().err
    monkeypatch.setenv("CI", "true")
    assert main(["--short"]) == 1
    assert "no-such-tool" in capfd.readouterr().err


def test_a_name_that_is_none_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["packing", "parking"])
    assert "no such benchmark: parking" in capfd.readouterr().err


class TestRows:
    """Of a benchmark that has a ratio, and misses its target."""

    @pytest.fixture(autouse=True)
    def benchmark(self, monkeypatch: pytest.MonkeyPatch) -> None:
        only(monkeypatch, Benchmark())
        monkeypatch.setattr("subprocess.run", self.ran)

    def ran(self, command: list[str], cwd: Path) -> "TestRows":
        hand_over([Row("speed", "MB/s", 1, 2, at_most(0.4))], Path(command[command.index("--rows") + 1]))
        return self

    returncode = 0

    def test_a_target_that_is_missed_is_in_the_table_and_fails_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 0
        assert "NOT met" in capfd.readouterr().out

    def test_the_short_form_has_no_targets(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["--short"]) == 0
        said = capfd.readouterr().out
        assert "0.5" in said
        assert "met" not in said

    def test_ratios_are_drawn_where_pictures_go(self, tmp_path: Path) -> None:
        assert main(["--pictures", str(tmp_path / "new")]) == 0
        assert "50.0 %" in (tmp_path / "new" / "made_up.svg").read_text()

"""The driver over children that the test speaks for; the real Nix goes the same ways in tests/integration."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import pytest_twisted

from nixery.concurrency.output import Sink
from nixery.concurrency.process import Exit
from nixery.errors import BuildFailed, NixUnavailable, PackagesUnavailable
from nixery.images.config import ImageConfig
from nixery.images.graph import Closure, StorePath
from nixery.images.source import PinnedSource
from nixery.nix import driver
from nixery.nix.driver import Built, Limits, Nix
from nixery.nix.report import Package

SET = PinnedSource("path", "pin", "/set", (("index", "/index"),))
HELLO = "/nix/store/" + "a" * 32 + "-hello"
LIB = "/nix/store/" + "b" * 32 + "-lib"
META: dict[str, object] = {"version": "1", "mainProgram": None, "licences": []}
GOOD = {"name": "hello", "attribute": "hello", "reason": None, "outputs": [HELLO], "meta": META}
DUMP = {HELLO: f"{HELLO}\n{'0' * 64}\n10\n\n1\n{LIB}\n", LIB: f"{LIB}\n{'1' * 64}\n20\n\n0\n"}


class Children:
    """Stands for Processes: answers by the program's name."""

    def __init__(self) -> None:
        self.commands: list[Sequence[str]] = []
        self.report: object = {"version": 2, "packages": [GOOD]}
        self.forged: object = None
        self.thrown = b""
        self.fails: str | None = None
        self.status = 0

    def program(self, name: str) -> str:
        return name

    async def run(
        self, command: Sequence[str], environment: Mapping[str, str], stdout: Sink, stderr: Sink, seconds: float
    ) -> Exit:
        self.commands.append(command)
        answers: dict[str, Callable[[], None]] = {
            "nix-build": lambda: stderr.write(self._trace(command[command.index("marker") + 1])),
            "nix-instantiate": lambda: stderr.write(self.thrown),
            "--query": lambda: stdout.write(f"{LIB}\n{HELLO}\n".encode()),
            "--dump-db": lambda: stdout.write("".join(DUMP[path] for path in command[2:]).encode()),
        }
        what = command[1] if command[0] == "nix-store" else command[0]
        if what == self.fails:
            stderr.write(b"no such luck")
            return Exit(1, None, False)
        answers[what]()
        return Exit(self.status, None, False)

    def _trace(self, marker: str) -> bytes:
        reports = [self.report] if self.forged is None else [self.report, self.forged]
        traces = [{"action": "msg", "level": 0, "msg": f"trace: {marker}{json.dumps(report)}"} for report in reports]
        return b"".join(b"@nix " + json.dumps(trace).encode() + b"\n" for trace in traces)


@pytest.fixture
def children() -> Children:
    return Children()


@pytest.fixture
def nix(children: Children, tmp_path: Path) -> Nix:
    return Nix(children, {}, "image.nix", lambda: str(tmp_path), Limits(60, 1800))  # type: ignore[arg-type]


@pytest_twisted.ensureDeferred
async def test_what_was_built_comes_with_its_graph_and_is_held_until_released(nix: Nix, tmp_path: Path) -> None:
    built = await nix.build(SET, ("hello",), "x86_64-linux")
    assert built.outputs == (StorePath(HELLO),)
    assert [info.nar_size for info in built.closure] == [10, 20]
    assert list(tmp_path.iterdir()) == [Path(built.roots_folder)]
    built.release()
    assert list(tmp_path.iterdir()) == []


@pytest_twisted.ensureDeferred
async def test_fault_11_what_is_built_is_linked_from_where_it_is_held(nix: Nix, children: Children) -> None:
    built = await nix.build(SET, ("hello",), "x86_64-linux")
    command = list(children.commands[0])
    assert command[command.index("--out-link") + 1] == f"{built.roots_folder}/root"


def test_fault_10_outputs_come_in_the_order_of_their_packages_and_once() -> None:
    paths = [StorePath(f"/nix/store/{letter * 32}-x") for letter in "zyxwsrqp"]
    packages = tuple(Package("x", "x", (path, paths[0]), None, None, ()) for path in paths)
    assert Built(packages, Closure.of([]), "").outputs == tuple(paths)


@pytest_twisted.ensureDeferred
async def test_values_go_as_arguments_and_json(nix: Nix, children: Children) -> None:
    await nix.build(SET, ("hello", 'a"b'), "x86_64-linux")
    command = list(children.commands[0])
    assert command[:2] == ["nix-build", "image.nix"]
    assert command[command.index("packages") - 1 :][:3] == ["--argstr", "packages", '["hello", "a\\"b"]']
    assert command[command.index("arguments") + 1] == '{"index": "/index"}'
    assert command[command.index("--timeout") + 1] == "60"


@pytest_twisted.ensureDeferred
async def test_a_large_closure_is_dumped_in_parts(
    nix: Nix, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_AT_ONCE", 1)
    assert len((await nix.build(SET, ("hello",), "x86_64-linux")).closure) == 2
    assert [command[1:] for command in children.commands[2:]] == [("--dump-db", LIB), ("--dump-db", HELLO)]


@pytest_twisted.ensureDeferred
async def test_the_first_that_throws_is_asked_for_its_words(nix: Nix, children: Children, tmp_path: Path) -> None:
    refused = [{"name": name, "attribute": name, "reason": "throws"} for name in ("a", "b")]
    children.report = {"version": 2, "packages": [GOOD, *refused]}
    children.thrown = b"error:\n  sorry,\n  not here\n(use '--show-trace' to show more)\n"
    with pytest.raises(PackagesUnavailable, match="^a cannot be evaluated: sorry, not here; b cannot be evaluated$"):
        await nix.build(SET, ("a", "b", "hello"), "x86_64-linux")
    assert children.commands[-1][-2:] == ("force", "a")
    assert list(tmp_path.iterdir()) == []


@pytest_twisted.ensureDeferred
async def test_an_error_tells_of_so_many_packages_and_no_more(nix: Nix, children: Children) -> None:
    refused = [{"name": f"p{number}", "attribute": None, "reason": "broken"} for number in range(20_000)]
    children.report = {"version": 2, "packages": refused}
    with pytest.raises(PackagesUnavailable, match="^p0 is .*; p49 is .*; and 19950 more$") as raised:
        await nix.build(SET, ("app",), "x86_64-linux")
    assert "p50 " not in raised.value.message


@pytest_twisted.ensureDeferred
async def test_a_flake_and_a_host_that_cross_builds_are_told_to_every_evaluation(
    children: Children, tmp_path: Path
) -> None:
    nix = Nix(children, {}, "image.nix", lambda: str(tmp_path), Limits(60, 1800), "x86_64-linux")  # type: ignore[arg-type]
    children.report = {"version": 2, "packages": [{"name": "a", "attribute": "a", "reason": "throws"}]}
    with pytest.raises(PackagesUnavailable):
        await nix.build(PinnedSource("path", "pin", "/set", (("flake", "yes"),)), ("a",), "aarch64-linux")
    assert len(children.commands) == 2
    for command in children.commands:
        text = " ".join(command)
        assert "--option extra-experimental-features flakes" in text
        assert "--argstr system aarch64-linux" in text
        assert "--argstr host x86_64-linux" in text


@pytest_twisted.ensureDeferred
async def test_without_them_nothing_is_told(nix: Nix, children: Children) -> None:
    await nix.build(SET, ("hello",), "aarch64-linux")
    assert not {"host", "extra-experimental-features"} & set(children.commands[0])


@pytest_twisted.ensureDeferred
async def test_an_evaluation_that_ends_at_a_package_is_a_verdict_about_it(nix: Nix, children: Children) -> None:
    children.report = "hello"
    children.status = 1
    with pytest.raises(PackagesUnavailable, match="hello cannot be evaluated"):
        await nix.build(SET, ("hello",), "x86_64-linux")


@pytest.mark.parametrize("report", [{"version": 1}, [], {"version": 2, "packages": [{}]}])
@pytest_twisted.ensureDeferred
async def test_a_report_that_cannot_be_read_is_no_verdict(nix: Nix, children: Children, report: object) -> None:
    children.report = report
    with pytest.raises(NixUnavailable, match="report cannot be read"):
        await nix.build(SET, ("hello",), "x86_64-linux")


@pytest.mark.parametrize("query", ["--query", "--dump-db"])
@pytest_twisted.ensureDeferred
async def test_a_query_that_fails_is_named_and_nothing_stays_held(
    nix: Nix, children: Children, tmp_path: Path, query: str
) -> None:
    children.fails = query
    with pytest.raises(NixUnavailable, match=f"nix-store {query} failed: no such luck"):
        await nix.build(SET, ("hello",), "x86_64-linux")
    assert list(tmp_path.iterdir()) == []


@pytest_twisted.ensureDeferred
async def test_a_graph_with_a_hole_is_refused(nix: Nix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DUMP, LIB, "")
    with pytest.raises(NixUnavailable, match="does not describe the closure"):
        await nix.build(SET, ("hello",), "x86_64-linux")


@pytest_twisted.ensureDeferred
async def test_a_program_that_cannot_be_started_is_named(
    nix: Nix, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*arguments: object) -> Exit:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(children, "run", refuse)
    with pytest.raises(NixUnavailable, match="nix-build cannot be started: Resource temporarily unavailable"):
        await nix.build(SET, ("hello",), "x86_64-linux")


@pytest_twisted.ensureDeferred
async def test_a_report_after_the_report_is_a_forgery(children: Children, nix: Nix, tmp_path: Path) -> None:
    children.forged = {"version": 2, "packages": []}
    with pytest.raises(BuildFailed, match="passes itself off as the evaluation"):
        await nix.build(SET, ["hello"], "x86_64-linux")
    assert [*tmp_path.iterdir()] == []


@pytest_twisted.ensureDeferred
async def test_an_image_that_the_set_describes_is_built_with_its_config(children: Children, nix: Nix) -> None:
    children.report = {"version": 2, "packages": [GOOD], "image": {"name": "app", "config": {"Cmd": [f"{LIB}/x"]}}}
    built = await nix.build(SET, ["app", "cacert"], "x86_64-linux")
    assert built.config == ImageConfig(command=(f"{LIB}/x",))
    command = list(children.commands[0])
    assert command[command.index("image") - 1 :][:3] == ["--argstr", "image", "app"]


@pytest.mark.parametrize("config", [{"Cmd": "x"}, {"Cmd": [f"/nix/store/{'c' * 32}-gone/x"]}])
@pytest_twisted.ensureDeferred
async def test_an_image_that_is_described_wrongly_is_refused_and_nothing_stays_held(
    children: Children, nix: Nix, tmp_path: Path, config: object
) -> None:
    children.report = {"version": 2, "packages": [GOOD], "image": {"name": "app", "config": config}}
    with pytest.raises(PackagesUnavailable, match=r"describes wrongly: nixery\.images\.app\.config"):
        await nix.build(SET, ["app"], "x86_64-linux")
    assert list(tmp_path.iterdir()) == []

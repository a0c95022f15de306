import io
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from nixery.auditing.statistics import Statistics
from nixery.commands import storage
from nixery.commands.storage import main
from nixery.errors import StorageUnavailable
from nixery.images.digest import Digest
from nixery.storage.interfaces import IStorage, Surroundings
from nixery.storage.memory import MemoryStorage
from tests.auditing.world import Stored

case = SynchronousTestCase()


class Backend:
    """Gives the storage of the test, and notes for what settings."""

    def __init__(self, stored: MemoryStorage) -> None:
        self.stored = stored
        self.name = ""
        self.settings: dict[str, str] = {}
        self.surroundings: Surroundings | None = None

    def make(self, settings: dict[str, str], surroundings: Surroundings) -> IStorage:
        self.settings, self.surroundings = settings, surroundings
        return self.stored


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """What the command gets for whatever it was told: an image's storage, and a reactor that needs no running."""
    stored = case.successResultOf(Deferred.fromCoroutine(Stored().fill())).storage
    backend = Backend(stored)

    def named(name: str) -> Backend:
        backend.name = name
        return backend

    def reacting(work: Callable[[object], Coroutine[Any, Any, object]]) -> object:
        reactor = MemoryReactorClock()
        outcome = case.successResultOf(Deferred.fromCoroutine(work(reactor)).addBoth(lambda outcome: [outcome]))[0]
        assert stored.running
        assert reactor.triggers["before"]["shutdown"], "else threads keep the process from ending"
        if isinstance(outcome, Failure):
            outcome.raiseException()
        return outcome

    monkeypatch.setattr(storage, "backend_named", named)
    monkeypatch.setattr(storage, "reacting", reacting)
    return backend


def test_a_whole_storage_is_one_line_and_status_0(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify"]) == 0
    told = capsys.readouterr()
    held = sum(map(len, backend.stored.blobs.values()))
    assert (told.out, told.err) == (f"12 blobs ({held} bytes) and 7 records: nothing wrong\n", "")


def test_what_is_wrong_is_named_line_by_line_and_status_1(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    del backend.stored.blobs[Digest.of(b"zstd")]
    backend.stored.records["v1/images/old"] = b'{"version": 1}'
    assert main(["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["stored", "stored", "stored", "wrong"]
    assert lines[-1].endswith("and 8 records, 1 of other versions: 3 wrong")


def test_a_terminal_shows_progress_that_is_gone_before_what_is_said(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, times = Terminal(), iter(range(99))
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    assert main(["verify"]) == 0
    shown = terminal.getvalue().split("\r\x1b[K")
    assert f"[{'#' * 30}] 12 of 12 blobs found" in shown
    assert f"[{'#' * 30}] 7 of 7 records" in shown
    assert shown[-1] == ""


def test_the_settings_are_those_of_the_daemon(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/nixery")
    monkeypatch.setenv("NIXERY_STORAGE_BACKEND", "gcs")
    monkeypatch.setenv("GCS_BUCKET", "of the environment")
    monkeypatch.setenv("PORT", "what no verifier reads")
    assert main(["--gcs-bucket", "images", "verify"]) == 0
    assert (backend.name, backend.settings["GCS_BUCKET"]) == ("gcs", "images")
    assert backend.settings["STORAGE_PATH"] == "/var/lib/nixery/storage"
    assert backend.surroundings is not None
    assert (backend.surroundings.read_only, backend.surroundings.spool) == (True, "/var/lib/nixery/spool")


def test_stats_are_a_table(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats"]) == 0
    rows = {row[0]: row[1] for row in (line.split() for line in capsys.readouterr().out.splitlines())}
    assert rows == {"blobs": "12", "layers": "2", "images": "2", "indexes": "1", "tags": "0", "pins": "0", "names": "0"}


def test_stats_are_json_when_that_is_asked_for(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    held = sum(map(len, backend.stored.blobs.values()))
    assert found["blobs"] == {"count": 12, "bytes": held}
    assert (found["images"]["count"], found["saved"]) == (2, {"bytes": 0})


def test_what_sharing_saves_is_the_difference() -> None:
    found = Statistics(*[0] * 9)
    assert evolve(found, blob_bytes=5, image_bytes=12).saved_bytes == 7


def test_a_storage_that_cannot_be_had_is_one_line_and_status_1(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def down(after: str, most: int) -> list[object]:
        raise StorageUnavailable("the bucket images does not answer")

    monkeypatch.setattr(backend.stored, "list_blobs", down)
    assert main(["verify"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "nixery-storage: the bucket images does not answer\n")


def test_a_wrong_setting_is_one_line_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIXERY_BLOBS", "maybe")
    assert main(["verify"]) == 1
    assert capsys.readouterr().err == "nixery-storage: NIXERY_BLOBS is 'maybe'; it may be redirect or proxy\n"


@pytest.mark.parametrize("argv", [[], ["mend"], ["verify", "--json"], ["--nonsense", "stats"]])
def test_a_wrong_command_line_is_status_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2


def test_an_interrupt_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(work: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(storage, "reacting", interrupted)
    assert main(["verify"]) == 130
    assert capsys.readouterr().err == "nixery-storage: interrupted\n"

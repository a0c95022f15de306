"""What goes wrong in the field: each with a clear answer, nothing half stored, and the next good request works."""

import shutil
import signal
import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.integration.daemon import Daemon, eventually, processes_with, running

HOSTILE = [
    "..",
    "../etc",
    "hello/../hello",
    "a//b",
    "",
    "/hello",
    "hello/",
    'he"llo',
    "he'llo",
    "he llo",
    "$(id)",
    "${builtins.abort}",
    "hello;id",
    "Hello",
    "h\u00e9llo",
    "\u4f60\u597d",
    "-hello",
    "hello-",
    "hello\n",
    "/".join(["a"] * 300),
    "a" * 256,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_before_anything_starts(daemon: Daemon, name: str) -> None:
    answer = daemon.pull(quote(name, safe="/"))
    assert answer.status in (400, 404)
    assert answer.error["code"] in ("NAME_INVALID", "NAME_UNKNOWN")
    assert daemon.calls == []


@pytest.mark.parametrize("digest", ["sha256:" + "a" * 63, "sha256:" + "A" * 64, "sha512:" + "a" * 127, "sha256:", ":"])
def test_malformed_digests_are_400(daemon: Daemon, digest: str) -> None:
    for answer in (daemon.pull("hello", digest), daemon.blob(digest)):
        assert (answer.status, answer.error["code"]) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("nonesuch", 404, "nonesuch is not in the package set"),
        ("hallo", 404, "hallo is not in the package set: did you mean hello"),
        ("hello/nonesuch/another", 404, "another is not in the package set: did you mean other; nonesuch is not"),
        ("fails", 500, "fails.drv' failed with exit code 3; the last lines of fails: first words | last words"),
        ("unfree", 404, "unfree has an unfree licence"),
        ("broken", 404, "broken is marked as broken"),
        ("throws", 404, "throws cannot be evaluated: this package is not for you"),
        ("set", 404, "set is an attribute of the package set, but not a package"),
        ("text", 404, "text is an attribute of the package set, but not a package"),
    ],
)
def test_packages_that_cannot_be_had_say_why(daemon: Daemon, name: str, status: int, words: str) -> None:
    """Fault 7: there a failed build is "image build failure" without a reason."""
    answer = daemon.pull(name)
    assert answer.status == status
    assert words in answer.error["message"]
    assert eventually(lambda: not _records(daemon)), "nothing is remembered of it, and the turn at it was given back"
    assert daemon.pull("hello").status == 200


def test_a_set_that_cannot_be_evaluated_at_all_says_why(daemon: Daemon, packages: Path) -> None:
    good = (packages / "default.nix").read_text()
    (packages / "default.nix").write_text(good + "\nsyntax error }")
    answer = daemon.pull("hello")
    assert answer.status == 500
    assert "syntax error" in answer.error["message"]
    (packages / "default.nix").write_text(good)
    assert daemon.pull("hello").status == 200


def test_a_set_that_is_gone_says_so(daemon: Daemon, packages: Path) -> None:
    shutil.rmtree(packages)
    answer = daemon.pull("hello")
    assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE")
    assert str(packages) in answer.error["message"]


def test_a_run_that_takes_too_long_is_ended_by_us(tmp_path: Path, packages: Path, salt: str) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages), NIXERY_BUILD_TIMEOUT="2") as daemon:
        answer = daemon.pull("hangs")
        assert answer.status == 504
        assert "NIXERY_BUILD_TIMEOUT" in answer.error["message"]
        assert eventually(lambda: not processes_with(f"hangs-{salt}"))
        assert daemon.pull("hello").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_evaluation_that_never_ends_ends_with_the_daemon(tmp_path: Path, packages: Path, number: int) -> None:
    """Nix hears no TERM while it evaluates."""
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages)) as daemon:
        with socket.create_connection(("127.0.0.1", daemon.port)) as client:
            client.sendall(b"GET /v2/runaway/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n")
            assert eventually(lambda: len(daemon.calls) == 1 and bool(processes_with("nix-build")))
            daemon.stop(number)
        assert eventually(lambda: not processes_with(str(daemon.folder)))


def test_a_builder_cannot_speak_for_the_evaluation(daemon: Daemon) -> None:
    honest = daemon.pull("hello")
    forged = daemon.pull("forger/hello")
    assert forged.status == 200
    assert set(honest.layers[:-1]) <= set(forged.layers), "all of hello is in it"


def test_a_name_of_very_many_words_is_refused_soon(daemon: Daemon) -> None:
    answer = daemon.pull("set." * 60 + "inner")
    assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")


def test_a_file_that_a_layer_cannot_carry_is_named(daemon: Daemon) -> None:
    answer = daemon.pull("whiteout")
    assert answer.status == 500
    assert ".wh.x" in answer.error["message"]
    assert daemon.pull("hello").status == 200


def _records(daemon: Daemon) -> list[Path]:
    return [path for path in (daemon.storage / "v1").rglob("*") if path.is_file() and path.name != ".lock"]

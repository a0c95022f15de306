"""What goes wrong in the field: each with a clear answer, nothing half stored, and the next good request works."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.integration.conftest import need
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


@pytest.mark.parametrize("digest", ["sha256:" + "a" * 63, "sha256:" + "A" * 64, "sha512:" + "a" * 128, "sha256:", ":"])
def test_malformed_digests_are_400(daemon: Daemon, digest: str) -> None:
    for answer in (daemon.pull("hello", digest), daemon.blob(digest)):
        assert (answer.status, answer.error["code"]) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("nonesuch", 404, "nonesuch is not in the package set"),
        ("hello/nonesuch/another", 404, "another is not in the package set; nonesuch is not"),
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
    assert not list((daemon.storage / "v1").rglob("*")) if (daemon.storage / "v1").exists() else True
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


def test_fault_3_a_mebibyte_of_log_on_both_pipes_is_no_deadlock(daemon: Daemon) -> None:
    assert daemon.pull("loud").status == 200


def test_a_builder_that_hangs_is_ended_by_nix(tmp_path: Path, packages: Path, salt: str) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages), NIX_TIMEOUT="1") as daemon:
        answer = daemon.pull("hangs")
        assert answer.status == 504
        assert "NIX_TIMEOUT" in answer.error["message"]
        assert f"hangs-{salt}" in answer.error["message"]
        assert eventually(lambda: not processes_with(salt))
        assert daemon.pull("hello").status == 200


def test_a_run_that_takes_too_long_is_ended_by_us(tmp_path: Path, packages: Path, salt: str) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages), NIXERY_BUILD_TIMEOUT="2") as daemon:
        answer = daemon.pull("hangs")
        assert answer.status == 504
        assert "NIXERY_BUILD_TIMEOUT" in answer.error["message"]
        assert eventually(lambda: not processes_with(f"hangs-{salt}"))
        assert daemon.pull("hello").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_fault_4_nothing_is_left_when_the_daemon_ends_while_it_builds(
    tmp_path: Path, packages: Path, salt: str, number: int
) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages)) as daemon:
        with socket.create_connection(("127.0.0.1", daemon.port)) as client:
            client.sendall(b"GET /v2/hangs/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n")
            assert eventually(lambda: b"building hangs" in daemon.log)
            assert eventually(lambda: bool(processes_with(f"name=hangs-{salt}")))
            status = daemon.stop(number)
            answer = client.recv(4096)
        assert eventually(lambda: not processes_with(f"hangs-{salt}") and not processes_with(str(daemon.folder)))
        if number != signal.SIGKILL:
            assert answer.startswith(b"HTTP/1.1 503 "), "a request in flight is answered, not dropped"
            assert status == -number, "as the shell and systemd expect of it"
            assert list((daemon.folder / "state" / "gcroots").glob("daemon-*")) == []
        daemon.start()
        assert daemon.pull("hello").status == 200
        assert len(list((daemon.folder / "state" / "gcroots").glob("daemon-*"))) == 1, "the dead one's is removed"


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


def test_fault_1_a_layer_that_is_lost_is_made_again(daemon: Daemon) -> None:
    image = daemon.pull("hello")
    lost = image.layers[0]
    (daemon.storage / "layers" / lost.removeprefix("sha256:")).unlink()
    assert daemon.blob(lost).status == 404
    assert daemon.pull("hello").body == image.body
    assert daemon.blob(lost).status == 200


def test_fault_1_an_unknown_digest_is_404_and_not_an_empty_200(daemon: Daemon) -> None:
    unknown = "sha256:" + "0" * 64
    assert (daemon.blob(unknown).status, daemon.blob(unknown).error["code"]) == (404, "BLOB_UNKNOWN")
    answer = daemon.pull("hello", unknown)
    assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")


def test_fault_2_a_digest_is_right_while_its_tag_is_asked_for_in_a_loop(daemon: Daemon) -> None:
    image = daemon.pull("hello")
    digest = image.headers["Docker-Content-Digest"]
    for _ in range(20):
        answers = daemon.pull_at_once("hello", "hello", "hello", "hello")
        answers += [daemon.pull("hello", digest) for _ in range(5)]
        assert {answer.body for answer in answers} == {image.body}


@pytest.mark.parametrize("what", [b"", b"damaged"])
def test_fault_5_an_emptied_file_is_not_served_even_after_a_restart(daemon: Daemon, what: bytes) -> None:
    image = daemon.pull("hello")
    for path in (daemon.storage / "layers").iterdir():
        path.write_bytes(what)
    daemon.stop()
    daemon.start()
    assert daemon.blob(image.layers[0]).status == 404
    assert daemon.pull("hello").body == image.body
    assert daemon.blob(image.layers[0]).status == 200


def test_fault_6_containerd_mirrors_and_what_is_not_offered(daemon: Daemon) -> None:
    assert daemon.ask("/v2/hello/manifests/latest?ns=docker.io").status == 200
    for method in ("PUT", "DELETE"):
        answer = daemon.pull("hello", method=method)
        assert (answer.status, answer.error["code"]) == (405, "UNSUPPORTED")


def test_fault_10_the_same_image_is_laid_out_the_same_each_time(daemon: Daemon) -> None:
    image = daemon.pull("shell/hello/other")
    for _ in range(3):
        shutil.rmtree(daemon.storage)
        daemon.stop()
        daemon.start()
        assert daemon.pull("shell/hello/other").body == image.body


def test_fault_11_outputs_are_held_while_layers_are_made(daemon: Daemon, salt: str) -> None:
    """A collector that runs all the while takes nothing away that is being packed."""
    environment = {**os.environ, "NIX_CONFIG": "build-users-group =\n"}
    roots = daemon.folder / "state" / "gcroots"
    held: list[str] = []

    def hold() -> bool:
        held.extend(str(link.readlink()) for link in roots.glob("daemon-*/*/root*"))
        return bool(held)

    with socket.create_connection(("127.0.0.1", daemon.port)) as client:
        client.sendall(b"GET /v2/big/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n")
        assert eventually(hold)
        for path in set(held):
            subprocess.run(["nix-store", "--delete", path], env=environment, capture_output=True, check=False)
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    assert eventually(lambda: not list(roots.glob("daemon-*/*/root*"))), "let go when all is stored"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    need("mount", "umount")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_named_and_leaves_nothing_half_stored(tmp_path: Path, packages: Path, small_disk: Path) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages), STORAGE_PATH=str(small_disk)) as daemon:
        answer = daemon.pull("big")
        assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE")
        assert "No space left on device" in answer.error["message"]
        assert [path for path in (small_disk / "staging").rglob("*") if path.is_file() and path.stat().st_size] == []
        assert daemon.pull("hello").status == 200

"""Faults of Go Nixery that were seen from outside: the real daemon and the real Nix must not have them."""

import json
import os
import shutil
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path

import pytest

from nixery.images.digest import Digest
from tests.integration.daemon import Daemon, eventually, processes_with, running


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
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda reference: daemon.pull("hello", reference), ["latest", digest] * 100))
    assert {(answer.status, answer.body) for answer in answers} == {(200, image.body)}
    assert len(daemon.calls) == 1, "nothing had to be made again"


def test_fault_3_a_mebibyte_of_log_on_both_pipes_is_no_deadlock(daemon: Daemon) -> None:
    assert daemon.pull("loud").status == 200


@pytest.mark.parametrize("name", ["hangs", "raves"])
def test_fault_3_a_builder_that_hangs_is_ended_by_nix_however_much_it_wrote(
    tmp_path: Path, packages: Path, salt: str, name: str
) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages), NIX_TIMEOUT="1") as daemon:
        answer = daemon.pull(name)
        assert answer.status == 504
        assert "NIX_TIMEOUT" in answer.error["message"]
        assert f"{name}-{salt}" in answer.error["message"]
        assert eventually(lambda: not processes_with(salt))
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


def test_fault_4_a_blob_under_way_arrives_whole_when_the_daemon_is_told_to_end(daemon: Daemon) -> None:
    largest = max(json.loads(daemon.pull("big").body)["layers"], key=lambda layer: int(layer["size"]))
    with socket.create_connection(("127.0.0.1", daemon.port)) as client, ThreadPoolExecutor(1) as threads:
        client.sendall(f"GET /v2/x/blobs/{largest['digest']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        response = HTTPResponse(client)
        response.begin()
        status = threads.submit(daemon.stop)
        assert eventually(lambda: b"Closed)" in daemon.log), "nobody else is let in"
        assert str(Digest.of(response.read())) == largest["digest"]
        assert status.result() == -signal.SIGTERM


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

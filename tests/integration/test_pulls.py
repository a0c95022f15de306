"""Images built by the real Nix and pulled over HTTP."""

import gzip
import hashlib
import io
import json
import shutil
import socket
import tarfile
from pathlib import Path

import pytest

from nixery.images.digest import Digest
from tests.integration.daemon import Daemon, eventually, running

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


def test_an_image_is_built_and_every_blob_is_what_its_digest_says(daemon: Daemon) -> None:
    answer = daemon.pull("shell/hello")
    assert answer.status == 200
    assert answer.headers["Docker-Content-Digest"] == str(Digest.of(answer.body))
    manifest = json.loads(answer.body)
    config = json.loads(daemon.blob(manifest["config"]["digest"]).body)
    assert config["config"]["Cmd"] == ["bash"]
    for layer, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        blob = daemon.blob(layer["digest"])
        assert (len(blob.body), str(Digest.of(blob.body))) == (layer["size"], layer["digest"])
        assert "sha256:" + hashlib.sha256(gzip.decompress(blob.body)).hexdigest() == diff_id


def test_the_image_has_its_packages_and_a_complete_root(daemon: Daemon) -> None:
    members: dict[str, tarfile.TarInfo] = {}
    for digest in daemon.pull("shell/hello").layers:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(daemon.blob(digest).body))) as tar:
            members.update({member.name: member for member in tar})
    assert members["bin/hello"].linkname.endswith("-hello-2.12/bin/hello")
    assert members[members["bin/hello"].linkname[1:]].isreg()
    assert members["bin/sh"].issym()
    assert members["usr/bin/env"].issym()
    assert members["tmp"].mode == 0o1777
    assert members["etc/passwd"].isreg()
    assert members["etc/ssl/certs/ca-bundle.crt"].issym()
    empty = next(name for name in members if name.endswith("-libshared-1.0/lib/empty"))
    assert members[empty].isdir()


def test_names_find_packages_as_documented(daemon: Daemon) -> None:
    for name in ("7zip", "pythonpackages.requests", "set.inner"):
        assert daemon.pull(name).status == 200, name


def test_a_known_image_of_a_pinned_source_touches_no_nix(daemon: Daemon) -> None:
    first = daemon.pull("hello")
    assert len(daemon.calls) == 1
    assert [daemon.pull("hello", tag).body for tag in ("latest", "v1")] == [first.body] * 2
    daemon.stop()
    daemon.start()
    assert daemon.pull("hello").body == first.body
    assert len(daemon.calls) == 1


def test_an_edit_of_the_set_makes_a_new_image(daemon: Daemon, packages: Path) -> None:
    before = daemon.pull("hello")
    text = (packages / "default.nix").read_text()
    (packages / "default.nix").write_text(text.replace("hello-2.12", "hello-2.13"))
    after = daemon.pull("hello")
    assert after.body != before.body
    assert set(after.layers) & set(before.layers), "what did not change is shared"


def test_head_answers_what_get_would_and_builds_what_is_not_there(daemon: Daemon) -> None:
    head = daemon.pull("hello", method="HEAD")
    get = daemon.pull("hello")
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "Date": ""} == {**get.headers, "Date": ""}
    assert len(daemon.calls) == 1


def test_both_formats_have_the_same_layers(daemon: Daemon) -> None:
    oci = daemon.pull("hello")
    docker = daemon.ask("/v2/hello/manifests/latest", Accept=DOCKER)
    assert docker.headers["Content-Type"] == DOCKER
    assert docker.layers == oci.layers


def test_twenty_pulls_of_a_cold_image_are_one_build(daemon: Daemon) -> None:
    answers = daemon.pull_at_once(*["slow/hello"] * 20)
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert len(daemon.calls) == 1


def test_nineteen_of_twenty_clients_may_leave(daemon: Daemon) -> None:
    clients = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(19)]
    for client in clients:
        client.sendall(b"GET /v2/slow/hello/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n")
    assert eventually(lambda: len(daemon.calls) == 1)
    for client in clients:
        client.close()
    assert daemon.pull("slow/hello").status == 200
    assert len(daemon.calls) == 1
    assert b"Unhandled" not in daemon.log
    assert b"Traceback" not in daemon.log


def test_a_build_goes_on_when_all_clients_have_left(daemon: Daemon) -> None:
    with socket.create_connection(("127.0.0.1", daemon.port)) as client:
        client.sendall(b"GET /v2/slow/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n")
        assert eventually(lambda: len(daemon.calls) == 1)
    assert eventually(lambda: b"built cacert iana-etc slow" in daemon.log)
    assert daemon.pull("slow").status == 200
    assert len(daemon.calls) == 1


def test_a_layer_that_two_images_want_at_once_is_packed_once(daemon: Daemon) -> None:
    first, second = daemon.pull_at_once("big/hello", "big/other")
    shared = set(first.layers) & set(second.layers)
    assert len(shared) >= 3, "the noise, libshared, cacert and iana-etc"
    stored = list((daemon.storage / "layers").iterdir())
    wanted = {*first.layers, *second.layers}
    assert len(stored) == len(wanted) + 2 * 3, "the layers, and a config and two manifests an image"


def test_requests_are_held_for_their_time_and_told_to_come_back(tmp_path: Path, packages: Path) -> None:
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(packages), NIXERY_HOLD="1") as daemon:
        answer = daemon.pull("slow")
        assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE")
        assert "still building" in answer.error["message"]
        assert int(answer.headers["Retry-After"]) > 0
        assert eventually(lambda: daemon.pull("slow").status == 200)
        assert len(daemon.calls) == 1


def test_by_digest_from_the_storage_and_made_again_by_the_recipe(daemon: Daemon) -> None:
    image = daemon.pull("hello")
    digest = image.headers["Docker-Content-Digest"]
    assert daemon.pull("any/name", digest).body == image.body
    shutil.rmtree(daemon.storage / "layers")
    assert daemon.pull("hello", digest).body == image.body
    assert all(daemon.blob(layer).status == 200 for layer in image.layers)


def test_by_digest_is_unknown_when_the_set_has_moved_on(daemon: Daemon, packages: Path) -> None:
    digest = daemon.pull("hello").headers["Docker-Content-Digest"]
    shutil.rmtree(daemon.storage / "layers")
    (packages / "salt").write_text("moved on")
    answer = daemon.pull("hello", digest)
    assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")
    assert "changed since" in answer.error["message"]


@pytest.mark.parametrize("settings", [{"NIXERY_PACK_WORKERS": "2", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8"}])
def test_the_same_image_has_the_same_digests_everywhere(
    tmp_path: Path, packages: Path, settings: dict[str, str]
) -> None:
    source = {"NIXERY_PKGS_PATH": str(packages)}
    with running(tmp_path / "one", **source, NIXERY_PACK_WORKERS="1") as one:
        first = one.pull("shell/hello/big")
    with running(tmp_path / "two", **source, **settings) as two:
        assert two.pull("shell/hello/big").body == first.body


def test_arm64_is_another_image(daemon: Daemon) -> None:
    """Fault 9: there the key lacks the architecture, and arm64/hello collides with hello."""
    amd64, explicit = daemon.pull("hello"), daemon.pull("amd64/hello")
    assert amd64.body == explicit.body
    arm64 = daemon.pull("arm64/hello")
    assert arm64.status == 200
    assert set(arm64.layers).isdisjoint(amd64.layers), "what is in it was built for arm64 too"
    config = json.loads(daemon.blob(json.loads(arm64.body)["config"]["digest"]).body)
    assert config["architecture"] == "arm64"

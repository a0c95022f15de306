"""What images run and what is said of them: programs of packages, images that the set describes, annotations."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.clients import Podman, copied, podman_in
from tests.integration.conftest import need
from tests.integration.daemon import PROJECT, Daemon, running

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
ANNOTATION = "org.opencontainers.image."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("settings") / "set"
    folder.mkdir()
    shutil.copy(PROJECT / "tests/integration/settings.nix", folder / "default.nix")
    return folder


@pytest.fixture(scope="module")
def registry(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("settings-daemon"), NIXERY_PKGS_PATH=str(folder)) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    need("podman", "runc")
    with podman_in(tmp_path_factory.mktemp("podman")) as podman:
        yield podman


def manifest(daemon: Daemon, name: str) -> Any:
    answer = daemon.pull(name)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def config(daemon: Daemon, name: str) -> Any:
    """The container's part of an image's config."""
    return json.loads(daemon.blob(manifest(daemon, name)["config"]["digest"]).body)["config"]


def annotations(daemon: Daemon, name: str) -> dict[str, str]:
    return {key.removeprefix(ANNOTATION): text for key, text in manifest(daemon, name)["annotations"].items()}


def reference(daemon: Daemon, name: str) -> str:
    return f"127.0.0.1:{daemon.port}/{name}"


@pytest.mark.parametrize(
    ("name", "command"),
    [("tell", ["tell"]), ("other", None), ("tell/other", None), ("plain", ["tell"]), ("cacert", None)],
)
def test_a_single_package_runs_its_program(registry: Daemon, name: str, command: list[str] | None) -> None:
    assert config(registry, name).get("Cmd") == command


def test_a_described_image_has_its_config(registry: Daemon) -> None:
    had = config(registry, "app")
    entrypoint = had.pop("Entrypoint")
    assert entrypoint[0].endswith("-tell-1.2/bin/tell")
    assert had == {
        "Env": ["PATH=/bin:/sbin:/usr/bin:/usr/sbin", "SSL_CERT_FILE=/etc/ssl/certs/ca-bundle.crt", "GREETING=hello"],
        "Cmd": ["second"],
        "User": "65534:65534",
        "WorkingDir": "/tmp",
        "Labels": {"org.example.team": "us"},
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGINT",
    }


def test_a_described_image_is_there_for_other_platforms(registry: Daemon) -> None:
    assert config(registry, "arm64/app")["StopSignal"] == "SIGINT"
    assert config(registry, "arm64/app") != config(registry, "amd64/app")


def test_annotations_say_where_an_image_comes_from(registry: Daemon) -> None:
    said = annotations(registry, "tell")
    assert len(said.pop("revision")) == 64, "the hash of the folder's content"
    assert said == {
        "created": "1970-01-01T00:00:01Z",
        "licenses": "GPL-3.0-or-later AND LicenseRef-free AND MIT AND MPL-2.0",
        "version": "1.2",
    }
    assert set(annotations(registry, "tell/other")) == {"created", "revision"}, "one says no licence, and has another"


def test_dockers_format_has_no_annotations(registry: Daemon) -> None:
    answer = registry.ask("/v2/tell/manifests/latest", Accept=DOCKER)
    assert set(json.loads(answer.body)) == {"schemaVersion", "mediaType", "config", "layers"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wrong", "describes wrongly: nixery.images.wrong.config.Entrypoint has to be a list of strings"),
        ("throwing", "throwing cannot be evaluated: not for you"),
        ("lacking", "nixery.images.lacking.config names /nix/store/"),
        ("elsewhere", "nixery.images.elsewhere.packages[1] cannot be evaluated: no path for you"),
        ("app/other", "app is not in the package set"),
        ("shell/app", "app is not in the package set"),
    ],
)
def test_what_is_wrong_is_named(registry: Daemon, name: str, words: str) -> None:
    answer = registry.pull(name)
    assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")
    assert words in answer.error["message"]


def test_a_config_may_name_what_its_packages_refer_to(registry: Daemon) -> None:
    assert config(registry, "indirect")["Cmd"][0].endswith("-tell-1.2/bin/tell")


@pytest.mark.parametrize("name", ["app", "tell"])
def test_an_image_is_the_same_after_a_restart_without_its_blobs_and_elsewhere(
    folder: Path, tmp_path: Path, name: str
) -> None:
    with running(tmp_path / "one", NIXERY_PKGS_PATH=str(folder)) as daemon:
        first = daemon.pull(name)
        digest = first.headers["Docker-Content-Digest"]
        daemon.stop()
        assert daemon.start().pull(name).body == first.body
        assert len(daemon.calls) == 1, "known by its record"
        daemon.stop()
        shutil.rmtree(daemon.storage / "layers")
        assert daemon.start().pull(name, digest).body == first.body
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere")
    with running(tmp_path / "two", NIXERY_PKGS_PATH=str(elsewhere)) as daemon:
        assert daemon.pull(name).body == first.body


def test_another_config_is_another_image(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "set")
    with running(tmp_path / "daemon", NIXERY_PKGS_PATH=str(copy)) as daemon:
        assert config(daemon, "app")["StopSignal"] == "SIGINT"
        text = (copy / "default.nix").read_text()
        (copy / "default.nix").write_text(text.replace("SIGINT", "SIGQUIT"))
        assert config(daemon, "app")["StopSignal"] == "SIGQUIT"


def test_skopeo_copies_them_in_both_formats(registry: Daemon, tmp_path: Path) -> None:
    need("skopeo")
    assert copied(reference(registry, "app"), tmp_path / "oci")["config"]["User"] == "65534:65534"
    assert copied(reference(registry, "app"), tmp_path / "docker", "--format=v2s2")["config"]["Cmd"] == ["second"]


def test_podman_runs_the_program_of_a_package(registry: Daemon, podman: Podman) -> None:
    assert podman.run(reference(registry, "tell")) == "tell: \n"
    assert podman.run(reference(registry, "tell"), "tell", "more") == "tell: more\n"
    assert podman.run(reference(registry, "tell"), "sh", "-c", "echo $0") == "sh\n"


def test_podman_runs_a_described_image_as_it_says(registry: Daemon, podman: Podman) -> None:
    greeting = "hello from user 65534 in /tmp\n"
    assert podman.run(reference(registry, "app")) == f"tell: first second\n{greeting}"
    assert podman.run(reference(registry, "app"), "other") == f"tell: first other\n{greeting}"


def test_podman_says_what_was_wrong(registry: Daemon, podman: Podman) -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        podman.run(reference(registry, "wrong"))
    assert "nixery.images.wrong.config.Entrypoint has to be a list of strings" in raised.value.stderr

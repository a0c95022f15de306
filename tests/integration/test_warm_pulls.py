"""A warm pull of a mutable tag, for every source: no process, no request, and a figure of what it takes."""

import http.client
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration import channel_server, git_repository, git_server
from tests.integration.conftest import need
from tests.integration.daemon import SECONDS, Daemon, package_set
from tests.integration.debian_mirror import mirror_in

PULLS = 500
GENEROUS = 0.05
"""Seconds: some 30 times what is measured, as machines are noisy."""

Settings = Mapping[str, str]
Setting_up = Callable[[Path, str, ExitStack], Settings]


def path(folder: Path, salt: str, stack: ExitStack) -> Settings:
    return {"NIXERY_PKGS_PATH": str(package_set(folder / "set", salt))}


def git(folder: Path, salt: str, stack: ExitStack) -> Settings:
    need("git")
    package_set(folder / "set", salt)
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "a set")):
        git_repository.git(folder / "set", *words)
    server = stack.enter_context(git_server.serving(git_server.GitServer(folder)))
    return {"NIXERY_PKGS_REPO": server.url("set")}


def channel(folder: Path, salt: str, stack: ExitStack) -> Settings:
    server = stack.enter_context(channel_server.serving())
    server.revision("nixos-unstable", server.commit(salt))
    return {"NIXERY_CHANNEL": "nixos-unstable", "NIXERY_CHANNEL_URL": server.url}


def debian(folder: Path, salt: str, stack: ExitStack) -> Settings:
    need("apt-get", "dpkg-deb")
    mirror = stack.enter_context(mirror_in(folder / "mirror", salt))
    mirror.publish(hello="1")
    mirror.update()
    mirror.index(folder / "index")
    return {"NIXERY_DEBIAN_INDEX": str(folder / "index"), **mirror.environment}


@pytest.fixture(params=[path, git, channel, debian], ids=lambda source: source.__name__)
def daemon(request: pytest.FixtureRequest, tmp_path: Path, salt: str) -> Iterator[Daemon]:
    """A daemon on one source, which writes down every process that it starts: all of them start by setsid."""
    set_up: Setting_up = request.param
    folder = tmp_path / "daemon"
    (folder / "bin").mkdir(parents=True)
    wrapper = folder / "bin" / "setsid"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\nexec {shutil.which("setsid")} "$@"\n')
    wrapper.chmod(0o755)
    with ExitStack() as stack:
        daemon = Daemon(folder, dict(set_up(tmp_path, salt, stack))).start()
        stack.callback(daemon.stop)
        yield daemon


def test_a_warm_pull_starts_no_process(daemon: Daemon, request: pytest.FixtureRequest) -> None:
    first = daemon.pull("hello")
    assert first.status == 200
    started = daemon.calls
    assert any("nix-build" in call for call in started)
    median = _median(daemon, first.headers["Docker-Content-Digest"])
    assert daemon.calls == started
    assert median < GENEROUS
    print(f"{request.node.name}: p50 {median * 1e3:.2f} ms over {PULLS} pulls on one connection")


def _median(daemon: Daemon, digest: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=SECONDS)
    times = []
    for _ in range(PULLS):
        began = time.perf_counter()
        connection.request("GET", "/v2/hello/manifests/latest", headers={"Accept": OCI})
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        assert answer.headers["Docker-Content-Digest"] == digest
    connection.close()
    return statistics.median(times)


OCI = "application/vnd.oci.image.manifest.v1+json"

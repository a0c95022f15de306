"""Requests of all kinds to the daemon with real Nix. NIXERY_FUZZ_NIX is how many."""

import http.client
import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nixery.images.digest import Digest
from tests.integration.daemon import SECONDS, Daemon, package_set, running
from tests.registry.fuzzing import Asked, requests
from tests.registry.test_fuzz import check
from tests.registry.wire import Reply

COUNT = int(os.environ.get("NIXERY_FUZZ_NIX", "200"))

PACKAGES = [
    "hello",
    "other",
    "nano",
    "coreutils",
    "libshared",
    "7zip",
    "shell",
    "gti",
    "unfree",
    "broken",
    "throws",
    "set",
]
IMAGES = ["/".join(two) for two in itertools.combinations(sorted(PACKAGES, reverse=True), 2)]
KNOWN = {"name": IMAGES, "digest": [str(Digest.of(b"absent"))]}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    packages = package_set(folder / "packages", folder.name)
    with running(folder / "daemon", NIXERY_PKGS_PATH=str(packages)) as daemon:
        yield daemon


def test_every_request_has_a_whole_answer_and_a_connection_that_ends(busy: Daemon) -> None:
    manifest = busy.pull("hello")
    digests = [*KNOWN["digest"], manifest.headers["Docker-Content-Digest"], *manifest.layers]
    pulls = requests(KNOWN, "/manifests/")
    all = requests({**KNOWN, "digest": digests, "reference": digests})

    @settings(
        max_examples=COUNT,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        deadline=None,
    )
    @given(st.sampled_from([all, pulls]).flatmap(lambda some: some))
    def one(asked: Asked) -> None:
        with socket.create_connection(("127.0.0.1", busy.port), SECONDS) as connection:
            connection.sendall(asked.wire)
            check(asked, _answer(connection, asked.method), set())
            if asked.stays:
                connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: r.test\r\nConnection: close\r\n\r\n")
                assert _answer(connection, "GET").status == 200
            assert connection.recv(1) == b"", "the daemon closes it"

    one()
    assert len(busy.calls) >= COUNT // 10, "Nix was asked"
    assert b"Traceback" not in busy.log


def _answer(connection: socket.socket, method: str) -> Reply:
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    with response:
        return Reply(response.status, response.headers, response.read())

"""Images of the real nixpkgs, for those who can reach it: set NIXERY_TEST_CHANNEL to a channel, such as nixos-25.05."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon import Daemon, running

CHANNEL = os.environ.get("NIXERY_TEST_CHANNEL")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    if CHANNEL is None:
        pytest.skip("opt-in, as it needs the public nixpkgs and its binary cache: set NIXERY_TEST_CHANNEL")
    settings = {"NIXERY_CHANNEL": CHANNEL, "NIX_CONFIG": os.environ.get("NIX_CONFIG", "")}
    with running(tmp_path / "daemon", **settings) as daemon:
        yield daemon


def test_a_shell_with_curl_is_pulled(daemon: Daemon) -> None:
    answer = daemon.pull("shell/curl")
    assert answer.status == 200, answer.body.decode()
    assert len(answer.layers) > 10
    assert daemon.pull("shell/curl").body == answer.body

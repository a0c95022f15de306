"""Instances that share one storage: one of them builds, and another goes on when that one is killed."""

import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen

from nixery.building.leases import SILENCE
from tests.integration.daemon import Daemon, eventually, processes_with, running
from tests.integration.places import PLACES, S3, Place

BUILD = 4
"""Seconds that the slow package takes."""

SLACK = 4
"""Seconds: a look at the holder's turn is at most one late; the rest is for a machine that does other things."""


@frozen
class Fleet:
    """Two instances with states of their own."""

    place: Place
    first: Daemon
    second: Daemon

    @property
    def builds(self) -> int:
        return len(self.first.calls) + len(self.second.calls)


@pytest.fixture
def slow(packages: Path) -> Path:
    path = packages / "default.nix"
    path.write_text(path.read_text().replace("sleep 2", f"sleep {BUILD}"))
    return packages


@pytest.fixture(params=["folder", "s3"])
def fleet(tmp_path: Path, slow: Path, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    with PLACES[request.param](tmp_path) as place:
        settings = {**place.settings, "NIXERY_PKGS_PATH": str(slow)}
        with running(tmp_path / "one", **settings) as one, running(tmp_path / "two", **settings) as two:
            yield Fleet(place, one, two)


def test_twenty_pulls_of_a_cold_image_over_two_instances_are_one_build(fleet: Fleet) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda daemon: daemon.pull("slow/big/hello"), [fleet.first, fleet.second] * 10))
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert fleet.builds == 1
    assert (fleet.first.log + fleet.second.log).count(b"built ") == 1
    if isinstance(fleet.place, S3):
        uploads = Counter(fleet.place.record.written("layers"))
        assert {f"sha256:{hexadecimal}" for hexadecimal in uploads} >= set(answers[0].layers)
        assert set(uploads.values()) == {1}
    assert eventually(lambda: not any("leases" in name for name in fleet.place.names())), "the turn was given back"


def test_a_layer_that_one_instance_stored_is_not_packed_by_the_other(fleet: Fleet) -> None:
    theirs = fleet.first.pull("big/hello").layers
    ours = fleet.second.pull("big/other").layers
    assert len(set(theirs) & set(ours)) >= 3, "the noise, libshared, cacert and iana-etc"
    assert fleet.builds == 2
    if isinstance(fleet.place, S3):
        assert set(Counter(fleet.place.record.written("layers")).values()) == {1}


def begin(daemon: Daemon, salt: str) -> socket.socket:
    """A client that waits for the slow package, whose builder runs."""
    client = socket.create_connection(("127.0.0.1", daemon.port))
    client.sendall(b"GET /v2/slow/manifests/latest HTTP/1.1\r\nHost: x\r\n\r\n")
    assert eventually(lambda: bool(processes_with(f"name=slow-{salt}")))
    return client


def test_when_the_holder_is_killed_the_other_takes_over(fleet: Fleet, salt: str) -> None:
    with begin(fleet.first, salt), ThreadPoolExecutor(5) as threads:
        waiting = [threads.submit(fleet.second.pull, "slow") for _ in range(5)]
        fleet.first.stop(signal.SIGKILL)
        killed = time.monotonic()
        assert eventually(lambda: len(fleet.second.calls) == 1)
        took_over = time.monotonic() - killed
        assert {each.result(60).status for each in waiting} == {200}
    print(f"taken over after {took_over:.1f} s, answered after {time.monotonic() - killed:.1f} s")
    assert took_over < SILENCE + SLACK
    assert fleet.builds == 2


@pytest.mark.parametrize("fleet", ["s3"], indirect=True)
def test_a_holder_that_was_only_asleep_harms_nothing(fleet: Fleet, salt: str) -> None:
    with begin(fleet.first, salt) as client:
        assert fleet.first.process is not None
        fleet.first.process.send_signal(signal.SIGSTOP)
        answer = fleet.second.pull("slow")
        fleet.first.process.send_signal(signal.SIGCONT)
        received = client.recv(15)
    assert (answer.status, received) == (200, b"HTTP/1.1 200 OK")
    assert eventually(lambda: b"another has taken over" in fleet.first.log)
    assert fleet.first.pull("slow").body == answer.body
    assert fleet.builds == 2

"""A folder or a bucket that Go Nixery wrote is taken over: blobs by digest, as they are, unless they are damaged.

What it writes: layers/<sha256> (layers, configs and manifests), manifests/<key>, builds/<key> and staging/<word>.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixery.images.digest import Digest
from nixery.images.manifest import Format
from tests.integration.daemon import Answer, Daemon, running
from tests.integration.places import PLACES, Place, followed

DOCKER = Format.DOCKER.value
LAYER, CONFIG = gzip.compress(b"a layer of theirs", mtime=0), b'{"architecture":"amd64","os":"linux"}'
DAMAGED = gzip.compress(b"a layer that was damaged", mtime=0)
OTHERS = ("manifests/0123", "builds/0123", "staging/0123")
"""What of theirs has nothing to say to us."""


def manifest(*layers: bytes) -> bytes:
    """As they write it, in Docker's format."""

    def named(kind: str, data: bytes) -> dict[str, object]:
        kind = f"application/vnd.docker.{kind}"
        return {"mediaType": kind, "size": len(data), "digest": str(Digest.of(data))}

    config = named("container.image.v1+json", CONFIG)
    rest = [named("image.rootfs.diff.tar.gzip", layer) for layer in layers]
    return json.dumps({"schemaVersion": 2, "mediaType": DOCKER, "config": config, "layers": rest}).encode()


WHOLE, BROKEN, UNREADABLE = manifest(LAYER), manifest(LAYER, DAMAGED), manifest(LAYER, LAYER)


def name(data: bytes) -> str:
    return f"layers/{Digest.of(data).hex}"


@pytest.fixture(params=list(PLACES))
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    with PLACES[request.param](tmp_path) as place:
        for data in (LAYER, CONFIG, WHOLE, BROKEN):
            place.put(name(data), data)
        place.put(name(DAMAGED), DAMAGED[::-1])
        place.put(name(UNREADABLE), b"")
        for other in OTHERS:
            place.put(other, WHOLE)
        yield place


@pytest.fixture
def taken_over(tmp_path: Path, packages: Path, place: Place) -> Iterator[Daemon]:
    with running(tmp_path / "daemon", **place.settings, NIXERY_PKGS_PATH=str(packages)) as daemon:
        yield daemon


def fetched(daemon: Daemon, data: bytes) -> Answer:
    return followed(daemon.blob(str(Digest.of(data))))


def asked(daemon: Daemon, data: bytes) -> Answer:
    """A manifest by its digest."""
    return daemon.ask(f"/v2/any/name/manifests/{Digest.of(data)}", Accept=DOCKER)


def test_manifests_and_blobs_are_served_by_digest_as_they_are(taken_over: Daemon) -> None:
    answer = asked(taken_over, WHOLE)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, WHOLE, DOCKER)
    assert answer.headers["Docker-Content-Digest"] == str(Digest.of(WHOLE))
    for data in (LAYER, CONFIG, WHOLE):
        answer = fetched(taken_over, data)
        assert (answer.status, answer.body) == (200, data)


def test_what_is_damaged_is_not_served_nor_a_manifest_that_names_it(taken_over: Daemon) -> None:
    for data in (DAMAGED, UNREADABLE):
        answer = fetched(taken_over, data)
        assert (answer.status, answer.error["code"]) == (404, "BLOB_UNKNOWN")
    for data in (BROKEN, UNREADABLE):
        answer = asked(taken_over, data)
        assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")
    assert asked(taken_over, WHOLE).status == 200


def test_a_blob_is_hashed_once_before_it_is_first_served(taken_over: Daemon, place: Place) -> None:
    def reads() -> int:
        assert fetched(taken_over, LAYER).status == 200
        return place.reads(name(LAYER))

    served = int("STORAGE_PATH" in place.settings)  # each time; a bucket serves its blobs itself
    assert reads() == 1 + served
    assert reads() == 1 + 2 * served
    taken_over.stop()
    taken_over.start()
    assert reads() == 1 + 4 * served, "a folder's are hashed once by each process, a bucket's once for all"


def test_its_other_folders_are_neither_read_nor_changed(taken_over: Daemon, place: Place) -> None:
    assert taken_over.pull("hello").status == 200
    assert asked(taken_over, WHOLE).status == 200
    taken_over.stop()
    taken_over.start()
    assert taken_over.pull("hello").status == 200
    assert set(OTHERS) <= place.names()
    assert [place.reads(other) for other in OTHERS] == [0, 0, 0]
    assert place.reads(name(WHOLE)) > 0

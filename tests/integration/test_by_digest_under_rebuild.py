"""What is asked for by digest is always right, while its tag moves on and is built again and again.

NIXERY_GETS says how many requests are made. Go Nixery was wrong in 10 % to 92 % of them: each request for a tag rewrote
the manifest in place.
"""

import http.client
import itertools
import json
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import define, field

from nixery.images.digest import Digest
from nixery.images.manifest import Format
from tests.integration.daemon import SECONDS, Daemon, running
from tests.integration.places import PLACES, Place

GETS = int(os.environ.get("NIXERY_GETS", "5000"))
CLIENTS = 6
DOCUMENTED = {"404 MANIFEST_UNKNOWN", "404 BLOB_UNKNOWN"}
"""What may be said of a digest whose file somebody has just removed."""


@define
class Tag:
    """One image that is made over and over. `known`: every digest that it has had, and where each is asked for."""

    daemon: Daemon
    packages: Path
    place: Place
    known: list[tuple[str, str]] = field(factory=list)
    rebuilds: int = 0

    def learn(self) -> None:
        """Pull the tag in both formats, and know all that it names."""
        for format in Format:
            answer = self.daemon.ask("/v2/hello/manifests/latest", Accept=format.value)
            assert answer.status == 200, answer.body
            manifest = json.loads(answer.body)
            self._add(f"/v2/hello/manifests/{Digest.of(answer.body)}")
            for blob in (manifest["config"], *manifest["layers"]):
                self._add(f"/v2/hello/blobs/{blob['digest']}")

    def _add(self, target: str) -> None:
        entry = target, target.rpartition("/")[2]
        if entry not in self.known:
            self.known.append(entry)

    def move_on(self, number: int) -> None:
        """The tag means another image from now on."""
        (self.packages / "version").write_text(f"2.{number}")

    def forget(self) -> None:
        """Nobody knows what was made: all layers are packed again, and written over those of the same digests."""
        for name in self.place.names():
            if name.startswith(("v1/images/", "v1/layers/")):
                self.place.remove(name)

    def lose(self) -> None:
        """The newest manifest is removed, and made again when it is asked for."""
        digest = Digest.of(self.daemon.pull("hello").body)
        self.place.remove(f"layers/{digest.hex}")
        assert self.daemon.pull("hello", str(digest)).status == 200

    def rebuild(self, ended: threading.Event) -> None:
        """All of it, until it has ended."""
        for number in itertools.count():
            if ended.is_set():
                return
            self.move_on(number)
            self.learn()
            self.forget()
            self.learn()
            self.lose()
            self.rebuilds = len(self.daemon.calls)


def outcomes(tag: Tag, gets: int) -> Counter[str]:
    """How many answers were right, wrong, and which errors, to one client with a connection that it keeps."""
    connection = http.client.HTTPConnection("127.0.0.1", tag.daemon.port, timeout=SECONDS)
    found: Counter[str] = Counter()
    for _ in range(gets):
        target, digest = random.choice(tag.known)
        connection.request("GET", target, headers={"Accept": "*/*"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 200:
            found["right" if str(Digest.of(body)) == digest else "wrong"] += 1
        else:
            found[f"{answer.status} {json.loads(body)['errors'][0]['code']}"] += 1
    connection.close()
    return found


@pytest.fixture(params=["folder", "s3"])
def tag(tmp_path: Path, packages: Path, request: pytest.FixtureRequest) -> Iterator[Tag]:
    path = packages / "default.nix"
    path.write_text(path.read_text().replace('"hello-2.12"', '"hello-${builtins.readFile ./version}"'))
    with PLACES[request.param](tmp_path) as place:
        settings = {**place.settings, "NIXERY_BLOBS": "proxy", "NIXERY_PKGS_PATH": str(packages)}
        with running(tmp_path / "daemon", **settings) as daemon:
            tag = Tag(daemon, packages, place)
            tag.move_on(-1)
            tag.learn()
            yield tag


def test_each_answer_is_what_its_digest_says_or_a_documented_error(tag: Tag) -> None:
    ended = threading.Event()
    with ThreadPoolExecutor(CLIENTS + 1) as threads:
        rebuilding = threads.submit(tag.rebuild, ended)
        try:
            found = sum(threads.map(lambda _: outcomes(tag, -(-GETS // CLIENTS)), range(CLIENTS)), Counter[str]())
        finally:
            ended.set()
        rebuilding.result(SECONDS)
    print(f"{dict(found)}; {tag.rebuilds} builds, {len(tag.known)} digests")
    assert set(found) <= {"right"} | DOCUMENTED
    assert found["right"] > 0.9 * found.total()
    assert tag.rebuilds >= 3
    assert b"Traceback" not in tag.daemon.log

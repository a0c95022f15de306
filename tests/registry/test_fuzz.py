"""Thousands of requests over a fake builder, each answered as docs/openapi.yaml says. NIXERY_FUZZ is how many."""

import json
import os
import re
from collections.abc import Sequence

from attrs import evolve, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from nixery import errors
from nixery.errors import NixeryError
from nixery.images.digest import Digest
from nixery.images.index import ImageIndex
from nixery.images.name import Platform
from nixery.storage.interfaces import Redirect
from tests.registry.fuzzing import Asked, requests
from tests.registry.images_contract import manifests
from tests.registry.openapi import DOCUMENT
from tests.registry.wire import RECORD, Reply, Wire, World, parse

COUNT = int(os.environ.get("NIXERY_FUZZ", "2000"))

ABSENT, BLOB, ELSEWHERE = Digest.of(b"absent"), Digest.of(b"blob"), Digest.of(b"elsewhere")
INDEX = ImageIndex((RECORD, evolve(RECORD, platform=Platform.ARM64)))
MANIFESTS = {Digest.of(data): data for data in manifests(INDEX)}
DIGESTS = [str(digest) for digest in (ABSENT, BLOB, ELSEWHERE, *MANIFESTS)]
ETAGS = [f'"{digest}"' for digest in DIGESTS]
PULLED = [*DIGESTS, *[str(BLOB), str(ELSEWHERE)] * len(DIGESTS)]
"""Blobs have more kinds of answers than anything else: they are asked for the most."""

KNOWN = {"digest": PULLED, "reference": DIGESTS, "If-None-Match": ETAGS, "If-Range": ETAGS}

FAULTS = [
    errors.PackagesUnavailable("gti is not in the package set"),
    errors.BuildFailed("git: \x1b[31m no"),
    errors.BuildTimedOut("git took too long"),
    errors.StillBuilding("git is building"),
    errors.NixUnavailable("no nix-build"),
]


@frozen
class Weather:
    """How it goes behind the registry while a request is answered."""

    image: NixeryError | None
    storage: NixeryError | None
    warning: str | None
    waits: str
    platforms: tuple[Platform, ...]

    @property
    def statuses(self) -> set[int]:
        """What this is a reason for."""
        return {fault.status for fault in (self.image, self.storage) if fault is not None}

    def world(self) -> World:
        world = World()
        world.storage.blobs[BLOB] = b"blob"
        world.storage.places[ELSEWHERE] = Redirect("https://elsewhere.test/", 9)
        world.images.manifests, world.images.platforms = dict(MANIFESTS), self.platforms
        world.images.error, world.storage.error, world.images.warning = self.image, self.storage, self.warning
        if self.waits:
            world.images.waiting = Deferred()
        return world


WEATHER = st.builds(
    Weather,
    st.none() | st.none() | st.sampled_from(FAULTS),
    st.none() | st.none() | st.just(errors.StorageUnavailable("the disk is gone")),
    st.none() | st.text(max_size=20),
    st.sampled_from(["", "", "", "is served", "leaves"]),
    st.sampled_from([(Platform.AMD64,), (Platform.AMD64, Platform.ARM64)]),
)


@settings(max_examples=COUNT, suppress_health_check=list(HealthCheck), database=None)
@given(requests(KNOWN), WEATHER)
def test_every_request_has_a_whole_answer_that_was_described(asked: Asked, weather: Weather) -> None:
    world = weather.world()
    wire = world.connect()
    wire.send(asked.wire)
    if world.images.waiting is not None and not wire.received:
        if weather.waits == "is served":
            world.images.waiting.callback(None)
        else:
            wire.lose()
            assert (wire.received, world.clock.getDelayedCalls()) == (b"", [])
            return
    check(asked, parse(wire.received, asked.method), weather.statuses)
    _and_another(asked, wire)
    wire.lose()
    assert world.clock.getDelayedCalls() == []


def _and_another(asked: Asked, wire: Wire) -> None:
    """The connection is closed where that was asked for, and else ready for the next request."""
    assert wire.transport.disconnecting != asked.stays
    if asked.stays:
        wire.transport.clear()
        wire.send(b"GET /v2/ HTTP/1.1\r\nHost: r.test\r\n\r\n")
        assert parse(wire.received).status == 200


def check(asked: Asked, reply: Reply, faults: set[int]) -> None:
    """Hold an answer against what can be said of any, and of this one by its description."""
    assert reply.status < 500 or reply.status in faults
    assert "Content-Length" in reply.headers or reply.status == 304
    if asked.method == "HEAD" or reply.status == 304:
        assert reply.body == b""
    elif reply.status >= 400:
        check_errors(reply)
    if asked.tame and reply.status not in faults - set(asked.operation.answers):
        check_described(asked, reply)


def check_errors(reply: Reply) -> None:
    """Hold a body against the schema Errors."""
    assert reply.headers.get_all("Content-Type") == ["application/json"]
    said = json.loads(reply.body)
    assert list(said) == ["errors"]
    for error in said["errors"]:
        assert set(error) == {"code", "message", "detail"}
        assert error["code"] in DOCUMENT["components"]["schemas"]["Code"]["enum"]
        assert all(c.isprintable() or c in "\n\t" for c in error["message"])


def check_described(asked: Asked, reply: Reply) -> None:
    """Hold an answer against what its operation describes."""
    answer = asked.operation.answers[reply.status]
    assert {name for name in answer.required if name not in reply.headers} == set()
    for name, schema in answer.headers.items():
        for value in reply.headers.get_all(name, []):
            assert value == schema.get("const", value)
            assert re.search(schema.get("pattern", ""), value)
    if reply.status == 304:  # its headers are those of what is not sent
        return
    types: Sequence[str] = reply.headers.get_all("Content-Type", [])
    assert set(types) <= answer.content
    assert types or not answer.content

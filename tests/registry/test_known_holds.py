"""For how long what is known holds, and for whom."""

import re

import pytest
from twisted.internet.defer import Deferred

from nixery.errors import BuildFailed
from nixery.images.digest import Digest
from nixery.images.manifest import Format
from nixery.images.source import PinnedSource
from nixery.registry import known
from nixery.registry.catalog import Catalog
from nixery.registry.known import TRUST
from tests.registry.known_world import BY_DIGEST, LATEST, OCI, Client
from tests.registry.wire import RECORD, Wire


def test_each_kind_of_client_gets_its_own_form() -> None:
    client = Client()
    for _ in range(2):
        for format in (Format.OCI, Format.DOCKER):
            assert client.ask(LATEST, f"Accept: {format.value}").body == RECORD.manifest(format)
    assert client.images.times == 2


@pytest.mark.parametrize("other", ["/v2/shell/git/manifests/v2", "/v2/git/manifests/latest", BY_DIGEST])
def test_another_address_is_another_answer(other: str) -> None:
    client = Client()
    client.ask(LATEST)
    client.ask(other)
    assert client.images.times == 2


@pytest.mark.parametrize("target", [LATEST, BY_DIGEST])
def test_it_is_asked_anew_when_it_was_had_seconds_ago(target: str) -> None:
    client = Client()
    for seconds, times in ((0, 1), (TRUST - 0.1, 1), (0.1, 2), (TRUST - 0.1, 2)):
        client.world.clock.advance(seconds)
        client.ask(target)
        assert client.images.times == times


def test_while_one_asks_anew_the_others_are_answered_for_a_while() -> None:
    client = Client()
    first = client.ask(LATEST)
    client.world.clock.advance(TRUST)
    client.images.waiting = Deferred(lambda _: None)
    one = Wire(client.wire.site)
    one.send(f"GET {LATEST} HTTP/1.1\r\nHost: r\r\n\r\n".encode())
    assert (one.received, client.images.times) == (b"", 2)
    assert client.ask(LATEST).body == first.body
    client.world.clock.advance(TRUST - 0.1)
    assert client.ask(LATEST).body == first.body
    assert client.images.times == 2
    client.world.clock.advance(0.1)
    assert client.raw(LATEST) == b""
    assert client.images.times == 3


def test_who_asks_anew_renews_it_for_all() -> None:
    client = Client()
    client.ask(LATEST)
    client.world.clock.advance(TRUST)
    waiting = client.images.waiting = Deferred(lambda _: None)
    one = Wire(client.wire.site)
    one.send(f"GET {LATEST} HTTP/1.1\r\nHost: r\r\n\r\n".encode())
    waiting.callback(None)
    assert one.received
    client.world.clock.advance(TRUST - 0.1)
    assert client.ask(LATEST).status == 200
    assert client.images.times == 2


def test_what_is_answered_again_and_again_is_asked_anew_all_the_same() -> None:
    client = Client()
    for _ in range(100):
        client.ask(LATEST)
        client.world.clock.advance(TRUST / 10)
    assert client.images.times == 10


def test_a_clock_that_was_put_back_keeps_nothing() -> None:
    client = Client()
    client.world.clock.rightNow = 1000.0
    client.ask(LATEST)
    client.world.clock.rightNow = 0.0
    client.ask(LATEST)
    assert client.images.times == 2


def test_a_tag_that_means_another_state_is_asked_anew_at_once() -> None:
    client = Client()
    client.ask(LATEST)
    client.images.state = PinnedSource("path", "two", "/set")
    client.ask(LATEST)
    assert client.images.times == 2
    client.ask(LATEST)
    assert client.images.times == 2


def test_a_digest_means_the_same_in_all_states() -> None:
    client = Client()
    client.ask(BY_DIGEST)
    client.images.state = PinnedSource("path", "two", "/set")
    assert client.ask(BY_DIGEST).body == OCI
    assert client.images.times == 1


def test_what_comes_with_a_warning_is_asked_anew_each_time() -> None:
    client = Client()
    client.images.warning = "the newest packages cannot be had"
    for times in (1, 2):
        assert "Warning" in client.ask(LATEST).headers
        assert client.images.times == times


def test_a_warning_is_told_as_soon_as_there_is_one_and_no_longer() -> None:
    client = Client()
    for warning in (None, "the newest packages cannot be had", None):
        client.images.warning = warning
        assert ("Warning" in client.ask(LATEST).headers) == (warning is not None)


def test_an_error_is_never_kept() -> None:
    client = Client()
    client.images.error = BuildFailed("no")
    assert client.ask(LATEST).status == 500
    client.images.error = None
    assert client.ask(LATEST).status == 200


def test_what_is_no_manifest_is_never_kept() -> None:
    client = Client()
    other = Digest.of(b"{}")
    client.images.manifests[other] = b"{}"
    for times in (1, 2):
        assert client.ask(f"/v2/git/manifests/{other}").status == 404
        assert client.images.times == times


@pytest.mark.parametrize("target", [LATEST, BY_DIGEST])
def test_a_blob_that_a_client_misses_has_all_asked_anew(target: str) -> None:
    client = Client()
    client.ask(target)
    assert client.ask(f"/v2/git/blobs/{Digest.of(b'gone')}").status == 404
    client.ask(target)
    assert client.images.times == 2


def test_a_blob_that_is_there_has_nothing_asked_anew() -> None:
    client = Client()
    client.world.storage.blobs[Digest.of(b"gzip")] = b"gzip"
    client.ask(LATEST)
    assert client.ask(f"/v2/git/blobs/{Digest.of(b'gzip')}").status == 200
    client.ask(LATEST)
    assert client.images.times == 1


def test_what_is_known_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_MOST_BYTES", 50_000)
    client = Client()
    for number in range(50):
        client.ask(LATEST, f"X-Unused: {'x' * 10_000}", f"Accept: application/x{number}")
    client.ask(LATEST, "Accept: application/x49")
    assert client.images.times == 50
    client.ask(LATEST, "Accept: application/x0")
    assert client.images.times == 51
    client.ask(LATEST, f"Accept: {'x' * 10_000}")
    client.ask(LATEST, "Accept: application/x49")
    assert client.images.times == 52
    for number in range(4):
        client.ask(LATEST, f"Accept: {'x' * 10_000}{number}")
    client.ask(LATEST, "Accept: application/x49")
    assert client.images.times == 57, "requests weigh too"


def test_a_name_is_in_the_catalog_before_its_image_is_known() -> None:
    client = Client()
    client.world.catalog = Catalog(client.world.storage)
    client.connect()
    client.ask(LATEST)
    assert client.world.storage.records
    client.world.storage.records.clear()
    client.ask(LATEST)
    assert not client.world.storage.records


def test_requests_in_one_packet_are_answered_in_their_order() -> None:
    client = Client()
    docker, oci = (f"Accept: {format.value}" for format in (Format.DOCKER, Format.OCI))
    answers = [client.raw(LATEST, accept) for accept in (docker, oci)]
    client.wire.transport.clear()
    asked = [f"GET {LATEST} HTTP/1.1\r\nHost: r.test\r\n{accept}\r\n\r\n" for accept in (docker, oci, docker)]
    client.wire.send("".join(asked).encode())
    received = re.sub(rb"\r\nDate: [^\r]+", b"", client.wire.received)
    assert received == answers[0] + answers[1] + answers[0]


def test_a_build_under_way_holds_up_nobody_who_asks_for_what_is_known() -> None:
    client = Client()
    client.ask(LATEST)
    client.images.waiting = Deferred(lambda _: None)
    other = Wire(client.wire.site)
    other.send(b"GET /v2/slow/manifests/latest HTTP/1.1\r\nHost: r\r\n\r\n")
    assert other.received == b""
    assert client.ask(LATEST).status == 200

"""Every lie of a registry is found, and nothing is found where there is none."""

import re
import tarfile

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.web.client import Agent
from twisted.web.server import Site as HTTPSite

from nixery.validating.checks import Checks
from nixery.validating.client import Client
from nixery.validating.entries import FEW
from nixery.validating.image import Image
from nixery.validating.reference import Reference
from tests.fetching.servers import served
from tests.validating.fake import Fake, Reply, Site, digest, frames, member
from tests.validating.lies import LIES, Lie, body, both, flipped, header, index, layer, manifest, reply, status


async def checked(fake: Fake, reference: str = ":latest") -> Checks:
    steps: list[tuple[int, int]] = []
    async with served(HTTPSite(Site(fake.publish()))) as host:
        image = Image(
            Client(Agent(reactor), reactor, 10), Reference.parse(f"{host}/a/b{reference}"), lambda *s: steps.append(s)
        )
        checks = await image.check()
    assert steps == sorted(steps)
    return checks


@pytest.mark.parametrize("indexed", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_true_image_has_no_fault(indexed: bool) -> None:
    checks = await checked(Fake(indexed))
    assert checks.failed == []
    assert len(checks.all) > 100


@pytest_twisted.ensureDeferred
async def test_a_true_image_may_have_zstd_layers_in_its_oci_format() -> None:
    assert (await checked(Fake(zstd=True))).failed == []


@pytest_twisted.ensureDeferred
async def test_zstd_layers_that_the_docker_format_names_are_found() -> None:
    fake = Fake(pack=frames)
    failed = (await checked(fake)).failed
    assert {check.fault for check in failed if check.what == "it is a whole tar"} == {
        "it is no gzip: Error -3 while decompressing data: incorrect header check"
    }


@pytest_twisted.ensureDeferred
async def test_an_image_can_be_named_by_its_digest() -> None:
    fake = Fake().publish()
    for place in [place for place in fake.contents if place.startswith("manifests/sha256:")]:
        assert (await checked(fake, "@" + place.removeprefix("manifests/"))).failed == []


@pytest_twisted.ensureDeferred
async def test_another_manifest_than_the_digest_that_was_asked_for_is_found() -> None:
    fake = Fake().publish()
    place = next(place for place in fake.contents if place.startswith("manifests/sha256:"))
    body("GET manifest", lambda data: data + b" ")(fake)
    failed = (await checked(fake, "@" + place.removeprefix("manifests/"))).failed
    assert "its digest is what was asked for" in {check.what for check in failed}


@pytest_twisted.ensureDeferred
async def test_answers_may_be_of_different_times() -> None:
    fake = Fake()
    header("HEAD tag", "Date", "Thu, 01 Jan 1970 00:00:01 GMT")(fake)
    assert (await checked(fake)).failed == []


@pytest_twisted.ensureDeferred
async def test_blobs_may_be_elsewhere_where_headers_are_others() -> None:
    fake = Fake().publish()
    for what, _, data in [*fake.contents.values()]:
        if what == "layer":
            fake.contents[f"elsewhere/{digest(data)}"] = ("elsewhere", "binary/octet-stream", data)

    def move(answer: Reply) -> None:
        place = "/v2/a/b/elsewhere/" + answer.headers["Docker-Content-Digest"]
        answer.status, answer.body = 307, b""
        answer.headers.update({"Location": place, "Content-Length": "0"})

    reply("GET layer", move)(fake)
    header("GET elsewhere", "Docker-Content-Digest", "")(fake)
    assert (await checked(fake)).failed == []
    body("GET elsewhere", flipped)(fake)
    assert {check.what for check in (await checked(fake)).failed} >= {"its digest is that of its descriptor"}


@pytest.mark.parametrize(("what", "lie"), LIES, ids=[f"{number} {what}" for number, (what, _) in enumerate(LIES)])
@pytest_twisted.ensureDeferred
async def test_a_lie_is_found(what: str, lie: Lie) -> None:
    fake = Fake()
    lie(fake)
    failed = (await checked(fake)).failed
    assert what in {check.what for check in failed}


@pytest_twisted.ensureDeferred
async def test_each_check_has_a_lie_that_it_finds() -> None:
    """But for the one of a million entries, which test_layer.py has."""
    made = {check.what for fake in (Fake(False), Fake(True)) for check in (await checked(fake)).all}
    found = {what for what, _ in LIES}
    assert {re.sub("layer [0-9]+", "layer 1", what) for what in made} - found == {FEW}


@pytest.mark.parametrize(
    "lie",
    [
        index(lambda value: value["manifests"][0]["platform"].update(os="\x1b[31m" + "é" * 1000)),
        manifest(lambda value: value.update(mediaType="\x1b[31m\n", annotations="é" * 10_000)),
        both(status("GET tag", 500), body("GET tag", lambda data: b"\x1b[31m\n" * 1000)),
        header("GET tag", "ETag", "\x1b[31m"),
        layer(member("\x1b[31m\n" * 1000, uid=1)),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_a_registry_says_cannot_harm_a_terminal(lie: Lie) -> None:
    fake = Fake()
    lie(fake)
    for check in (await checked(fake)).failed:
        words = f"{check.where}: {check.what}: {check.fault}"
        assert words.isascii()
        assert words.isprintable()
        assert len(words) < 1500


@pytest_twisted.ensureDeferred
async def test_hard_links_to_earlier_files_are_let_be() -> None:
    fake = Fake()
    layer(member("a"), member("b", tarfile.LNKTYPE, "a"), member("c", tarfile.LNKTYPE, "b"))(fake)
    assert (await checked(fake)).failed == []

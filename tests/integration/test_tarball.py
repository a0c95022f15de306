"""Fetching tarballs with the real nix-prefetch-url: silent servers, and what is not in a tarball."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from nixery.concurrency.pool import Inline
from nixery.concurrency.process import Processes
from nixery.errors import SourceUnavailable
from nixery.sources.tarball import Limits, Tarballs
from tests.integration.channel_server import ChannelServer, archive, serving, tarball
from tests.integration.daemon import NIX_CONFIG


@pytest.fixture
def server() -> Iterator[ChannelServer]:
    with serving() as server:
        yield server


def tarballs(folder: Path, limits: Limits) -> Tarballs:
    processes = Processes(reactor, os.environ["PATH"], grace=0.3)  # type: ignore[arg-type]  # a module to mypy
    processes.startService()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NIX_CONFIG": NIX_CONFIG}
    return Tarballs(processes, environment, Inline(), limits)


@pytest_twisted.ensureDeferred
async def test_fifty_that_ask_cost_one_request_and_equal_content_has_one_hash(
    tmp_path: Path, server: ChannelServer, salt: str
) -> None:
    one = tarballs(tmp_path, Limits())
    url = server.url + archive(server.commit(salt))
    hashes = await gatherResults([Deferred.fromCoroutine(one.hash(url)) for _ in range(50)])
    assert len(set(hashes)) == 1
    assert len(server.requests) == 1
    server.pages["/other.tar.gz"] = tarball("another-top", {"default": "{ }"}, salt)
    server.pages["/same.tar.gz"] = tarball("top", {"default": "{ }"}, salt)
    other, same = [await one.hash(server.url + path) for path in ("/other.tar.gz", "/same.tar.gz")]
    assert other == same != hashes[0]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(stalled=1, tries=1), "cannot be fetched: "),
        (Limits(whole=0.5), "not done in 0.5 s"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_silent_server_is_waited_for_no_longer_than_told(
    tmp_path: Path, server: ChannelServer, limits: Limits, words: str
) -> None:
    server.silent.add("/silent.tar.gz")
    with pytest.raises(SourceUnavailable, match=words):
        await tarballs(tmp_path, limits).hash(f"{server.url}/silent.tar.gz")


@pytest.mark.parametrize(
    "page",
    [b"", b"<html>\n", tarball("top", {"other": "{ }"}), tarball("top", {"default": "{ }" * 10_000})[:-30]],
    ids=["nothing", "page", "no-set", "cut-off"],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_package_set_in_a_tarball_has_no_hash(
    tmp_path: Path, server: ChannelServer, page: bytes
) -> None:
    server.pages["/x.tar.gz"] = page
    with pytest.raises(SourceUnavailable, match="x.tar.gz cannot be fetched"):
        await tarballs(tmp_path, Limits()).hash(f"{server.url}/x.tar.gz")

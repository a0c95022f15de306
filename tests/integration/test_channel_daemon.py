"""The daemon on a channel: a mirror's revisions and tarballs, with real Nix."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.channel_server import LOOP, ChannelServer, archive, serving
from tests.integration.daemon import NIX_CONFIG, Daemon, running

CHANNEL = "nixos-unstable"
REVISION = f"/{CHANNEL}/git-revision"


@pytest.fixture
def server() -> Iterator[ChannelServer]:
    with serving() as server:
        yield server


@pytest.fixture
def commit(server: ChannelServer, salt: str) -> str:
    """What the channel is at."""
    commit = server.commit(salt)
    server.revision(CHANNEL, commit)
    return commit


@pytest.fixture
def daemon(tmp_path: Path, server: ChannelServer) -> Iterator[Daemon]:
    with running(tmp_path / "daemon", NIXERY_CHANNEL=CHANNEL, NIXERY_CHANNEL_URL=server.url) as daemon:
        yield daemon


@pytest.fixture
def impatient(tmp_path: Path, server: ChannelServer) -> Iterator[Daemon]:
    """A daemon that looks at each pull."""
    settings = {"NIXERY_CHANNEL": CHANNEL, "NIXERY_CHANNEL_URL": server.url, "NIXERY_SOURCE_TTL": "0"}
    with running(tmp_path / "daemon", **settings) as daemon:
        yield daemon


def test_one_look_and_one_fetch_serve_all_pulls_of_a_channel(
    daemon: Daemon, server: ChannelServer, commit: str
) -> None:
    names = ["hello", "other", "nano", "libshared", "iana-etc"]
    answers = daemon.pull_at_once(*(names * 10))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == len(names)
    assert server.requests == [REVISION, archive(commit)]
    assert len(daemon.calls) == len(names)
    assert daemon.pull("hello").body == answers[0].body
    assert (len(server.requests), len(daemon.calls)) == (2, len(names)), "a warm pull asks nobody"


def test_refs_at_one_commit_share_their_manifest_and_a_commit_is_fetched_once(
    daemon: Daemon, server: ChannelServer, commit: str
) -> None:
    server.revision("release/24.05", commit)
    answers = [daemon.pull("hello", tag) for tag in (commit, "latest", "release--24.05", CHANNEL)]
    assert [answer.status for answer in answers] == [200] * 4
    assert len({answer.body for answer in answers}) == 1
    assert server.requests.count(archive(commit)) == 1
    asked = len(server.requests)
    assert daemon.pull("other", commit).status == 200
    assert len(server.requests) == asked, "a commit that is here asks nobody"


def test_a_channel_that_moved_is_served_new_and_the_old_commit_is_still_there(
    impatient: Daemon, server: ChannelServer, commit: str, salt: str
) -> None:
    old = impatient.pull("big")
    new = server.commit(salt + "new")
    server.revision(CHANNEL, new)
    moved = impatient.pull("big")
    assert moved.status == 200
    assert moved.body != old.body
    assert impatient.pull("big", commit).body == old.body
    assert [server.requests.count(archive(one)) for one in (commit, new)] == [1, 1]


def test_a_restart_forgets_nothing(daemon: Daemon, server: ChannelServer, commit: str) -> None:
    before = daemon.pull("hello")
    daemon.stop()
    server.requests.clear()
    daemon.start()
    assert daemon.pull("hello").body == before.body
    assert daemon.pull("other").status == 200
    assert server.requests == [], "neither the revision nor the tarball"


def test_what_has_left_the_store_is_fetched_again_by_nix_when_it_is_needed(
    daemon: Daemon, server: ChannelServer, commit: str
) -> None:
    assert daemon.pull("hello").status == 200
    delete_tree(server.url + archive(commit))
    server.requests.clear()
    assert daemon.pull("hello").status == 200
    assert server.requests == [], "an image that is stored needs no tarball"
    assert daemon.pull("other").status == 200
    assert server.requests == [archive(commit)]


def test_what_comes_again_with_other_content_is_refused(
    daemon: Daemon, server: ChannelServer, commit: str, salt: str
) -> None:
    assert daemon.pull("hello").status == 200
    delete_tree(server.url + archive(commit))
    server.pages[archive(commit)] = server.pages[archive(server.commit(salt + "forged"))]
    refused = daemon.pull("other")
    assert refused.status == 500
    assert "mismatch" in refused.error["message"]


def delete_tree(url: str) -> None:
    """Take from the store what a tarball has in it."""
    environment = {**os.environ, "NIX_CONFIG": NIX_CONFIG}
    fetch = ("nix-prefetch-url", "--unpack", "--print-path", "--name", "source", url)
    printed = subprocess.run(fetch, env=environment, check=True, capture_output=True, text=True).stdout
    subprocess.run(("nix-store", "--delete", printed.split()[1]), env=environment, check=True, capture_output=True)


def test_a_channel_that_needs_a_newer_nix_is_refused_with_both_versions(
    daemon: Daemon, server: ChannelServer, salt: str
) -> None:
    server.revision(CHANNEL, server.commit(salt, lib__minver='"99.1"\n', default="not for this (Nix"))
    answer = daemon.pull("hello")
    installed = subprocess.run(("nix-build", "--version"), check=True, capture_output=True, text=True).stdout.split()[
        -1
    ]
    assert answer.status == 500
    assert "asks for Nix 99.1 or newer" in answer.error["message"]
    assert f"this is Nix {installed}" in answer.error["message"]


@pytest.mark.parametrize("tag", ["nowhere", "0" * 40, "a--..--b", "a..b"])
def test_a_ref_or_commit_that_is_not_there_is_unknown_by_its_name(
    daemon: Daemon, server: ChannelServer, commit: str, tag: str
) -> None:
    answer = daemon.pull("hello", tag)
    assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")
    assert tag in answer.error["message"]
    assert not any(".." in path for path in server.requests)
    assert daemon.calls == []


@pytest.mark.parametrize("page", [LOOP, b"<html>log in", b"0" * 10_000_000], ids=["loop", "html", "big"])
def test_a_mirror_that_answers_nonsense_is_told_of_and_the_last_good_image_is_served(
    impatient: Daemon, server: ChannelServer, commit: str, salt: str, page: bytes
) -> None:
    server.pages[REVISION], good = page, server.pages[REVISION]
    first = impatient.pull("hello")
    assert (first.status, first.error["code"]) == (503, "UNAVAILABLE")
    assert REVISION in first.error["message"]
    server.pages[REVISION] = good
    served = impatient.pull("hello")
    assert served.status == 200
    assert "Warning" not in served.headers
    server.pages[REVISION] = page
    again = impatient.pull("hello")
    assert (again.status, again.body) == (200, served.body)
    assert "Warning" in again.headers


def test_a_page_in_place_of_a_tarball_is_never_pinned(
    impatient: Daemon, server: ChannelServer, commit: str, salt: str
) -> None:
    good = impatient.pull("hello")
    new = server.commit(salt + "new")
    server.pages[archive(new)], tarball = b"<html>\n", server.pages[archive(new)]
    server.revision(CHANNEL, new)
    stale = impatient.pull("hello")
    assert (stale.status, stale.body) == (200, good.body)
    assert "Warning" in stale.headers
    refused = impatient.pull("hello", new)
    assert refused.status == 503
    assert archive(new) in refused.error["message"]
    server.pages[archive(new)] = tarball
    assert impatient.pull("hello", new).status == 200


def test_a_mirrors_password_opens_it_and_is_shown_nowhere(tmp_path: Path, salt: str) -> None:
    with serving(login="me:s3cret-word") as server:
        commit = server.commit(salt)
        server.revision(CHANNEL, commit)
        settings = {"NIXERY_CHANNEL": CHANNEL, "NIXERY_CHANNEL_URL": server.url}
        with running(tmp_path / "daemon", **settings) as daemon:
            assert daemon.pull("hello").status == 200
            unknown = daemon.pull("hello", "nowhere")
            server.login = "another"
            refused = daemon.pull("hello", "other-channel")
            no_tarball = daemon.pull("hello", "1" * 40)
            assert [refused.status, no_tarball.status] == [503, 503]
            assert "401" in refused.error["message"]
            assert "401" in no_tarball.error["message"]
            told = [*daemon.calls, *(str(answer) for answer in (unknown, refused, no_tarball)), daemon.log.decode()]
            assert "s3cret-word" not in "".join(told)
        records = [file.read_bytes() for file in daemon.storage.rglob("*") if file.is_file()]
        assert not any(b"s3cret-word" in record for record in records)

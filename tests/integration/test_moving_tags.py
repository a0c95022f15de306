"""Tags that move: looked up seldom, shared by instances, and served also when their upstream is broken."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import define

from tests.integration.conftest import need
from tests.integration.daemon import Answer, Daemon, package_set, running
from tests.integration.git_repository import git
from tests.integration.git_server import GitServer, serving

NAMES = ("hello", "other", "nano", "moreutils", "libshared")


@define
class World:
    """A git server with a package set, and the settings of daemons that use it."""

    folder: Path
    server: GitServer

    @property
    def repository(self) -> Path:
        return self.folder / "served" / "set"

    def git(self, *words: str) -> str:
        return git(self.repository, *words)

    def commit(self, old: str, new: str) -> str:
        """A commit in which the package set says `new` for `old`; gives its id."""
        path = self.repository / "default.nix"
        path.write_text(path.read_text().replace(old, new))
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", new)
        return self.git("rev-parse", "HEAD")

    def settings(self, **settings: str) -> dict[str, str]:
        fast = {"GIT_HTTP_LOW_SPEED_TIME": "1", "NIXERY_SOURCE_TTL": "0", "STORAGE_PATH": str(self.folder / "storage")}
        return {"NIXERY_PKGS_REPO": self.server.url("set"), **fast, **settings}


@pytest.fixture
def world(tmp_path: Path, salt: str) -> Iterator[World]:
    need("git")
    (tmp_path / "served").mkdir()
    package_set(tmp_path / "served" / "set", salt)
    with serving(GitServer(tmp_path / "served")) as server:
        world = World(tmp_path, server)
        world.git("init", "--quiet", "--initial-branch=main")
        world.commit("\0", "the first commit")
        yield world


def is_last_good(answer: Answer, good: Answer, words: str) -> bool:
    return (answer.status, answer.body) == (200, good.body) and words in answer.headers["Warning"]


def test_fifty_pulls_of_five_images_are_one_look_one_fetch_and_five_builds(world: World) -> None:
    with running(world.folder / "daemon", **world.settings(NIXERY_SOURCE_TTL="300")) as daemon:
        answers = daemon.pull_at_once(*(NAMES * 10))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body for answer in answers}) == len(NAMES)
        assert len(daemon.calls) == len(NAMES)
        looks = [path for path in world.server.requests if "info/refs" in path]
        assert len(looks) == 2, "one for ls-remote, one for the fetch"


def test_two_refs_at_one_commit_share_their_manifest_and_two_platforms_never_do(world: World) -> None:
    world.git("branch", "release/1.0")
    world.git("tag", "-a", "-m", "words", "v1")
    with running(world.folder / "daemon", **world.settings()) as daemon:
        answers = [daemon.pull("hello", tag) for tag in ("latest", "main", "release--1.0", "v1")]
        assert len({answer.body for answer in answers}) == 1
        assert len(daemon.calls) == 1
        assert len({daemon.pull(name).body for name in ("hello", "amd64/hello", "arm64/hello")}) == 2


def test_two_instances_on_one_storage_agree_on_what_latest_is(world: World) -> None:
    state = world.folder / "state"
    settings = world.settings(NIXERY_SOURCE_TTL="300", STATE_DIRECTORY=str(state))
    with running(world.folder / "one", **settings) as one, running(world.folder / "two", **settings) as two:
        assert {"git", "git.2"} <= set(os.listdir(state)), "each has a repository of its own"
        first = one.pull("hello")
        world.commit("hello-2.12", "hello-2.13")
        assert two.pull("hello").body == first.body
        assert two.calls == [], "what one has built is there for the other"
        one.stop()
        assert one.start().pull("hello").body == first.body, "a restart does not look again"


def test_an_upstream_that_is_refused_silent_or_broken_leaves_the_last_good_image(world: World) -> None:
    with running(world.folder / "daemon", **world.settings()) as daemon:
        good = daemon.pull("hello")
        assert "Warning" not in good.headers

        world.server.silent = threading.Event()
        assert is_last_good(daemon.pull("hello"), good, "cannot be read")
        assert is_last_good(daemon.pull("hello", method="HEAD"), evolved(good), "cannot be read")
        unfree = daemon.pull("unfree")
        assert (unfree.status, unfree.error["code"]) == (404, "MANIFEST_UNKNOWN")
        assert "unfree licence" in unfree.error["message"]
        never = daemon.pull("hello", "v9")
        assert (never.status, never.error["code"]) == (503, "UNAVAILABLE")
        assert "none was served before" in never.error["message"]
        world.server.silent.set()
        world.server.silent = None

        world.commit("rec {", "rec { oops")
        assert is_last_good(daemon.pull("hello"), good, "cannot evaluate the package set")
        unknown = daemon.pull("nonsense")
        assert (unknown.status, unknown.error["code"]) == (404, "MANIFEST_UNKNOWN")

        world.commit("rec { oops", "rec {")
        world.commit("hello-2.12", "hello-2.13")
        new = daemon.pull("hello")
        assert new.body != good.body
        assert "Warning" not in new.headers


def evolved(good: Answer) -> Answer:
    """The same answer as HEAD gives it."""
    return Answer(good.status, good.headers, b"")


def test_a_server_that_refuses_after_a_restart_leaves_the_last_good_image(tmp_path: Path, world: World) -> None:
    with running(world.folder / "daemon", **world.settings()) as daemon:
        good = daemon.pull("hello")
        daemon.stop()
        daemon.settings["NIXERY_PKGS_REPO"] = world.server.url("set")
        shutil.move(world.repository, tmp_path / "away")
        served = daemon.start().pull("hello")
        assert is_last_good(served, good, "cannot be read")
        other = daemon.pull("other")
        assert other.status == 200, "the commit is here, and is built from"
        assert "Warning" in other.headers


def test_revalidate_serves_the_last_good_image_while_the_new_one_is_built(world: World) -> None:
    with running(world.folder / "daemon", **world.settings(NIXERY_STALE="revalidate")) as daemon:
        old = daemon.pull("slow")
        assert old.status == 200
        world.commit("sleep 2; mkdir $out", "sleep 2; sleep 1; mkdir $out")
        began = time.monotonic()
        assert daemon.pull("slow").body == old.body
        assert time.monotonic() - began < 2
        with ThreadPoolExecutor(1) as threads:
            assert threads.submit(lambda: _until_another(daemon, old)).result(60)


def _until_another(daemon: Daemon, old: Answer) -> bool:
    never = threading.Event()
    while daemon.pull("slow").body == old.body:
        never.wait(0.2)
    return True

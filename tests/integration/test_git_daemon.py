"""The daemon on a git repository: tags are branches, git tags and commits."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import need
from tests.integration.daemon import Daemon, running
from tests.integration.git_repository import git


def committed(folder: Path, version: str) -> str:
    """A commit with another version of hello; gives its id."""
    text = (folder / "default.nix").read_text()
    (folder / "default.nix").write_text(text.replace("hello-2.12", f"hello-{version}"))
    git(folder, "add", ".")
    git(folder, "commit", "-q", "--allow-empty", "-m", version)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(packages: Path) -> Path:
    need("git")
    git(packages, "init", "-q", "-b", "main")
    committed(packages, "2.12")
    return packages


@pytest.fixture
def daemon(tmp_path: Path, repository: Path) -> Iterator[Daemon]:
    settings = {"NIXERY_PKGS_REPO": str(repository), "NIXERY_SOURCE_TTL": "0"}
    with running(tmp_path / "git-daemon", **settings) as daemon:
        yield daemon


def test_a_tag_is_a_branch_or_a_commit_and_equal_commits_are_one_image(daemon: Daemon, repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    old = daemon.pull("hello")
    assert old.status == 200
    git(repository, "switch", "-q", "-c", "release/2.13")
    committed(repository, "2.13")
    new = daemon.pull("hello", "release--2.13")
    assert new.status == 200
    assert new.body != old.body
    assert [daemon.pull("hello", tag).body for tag in ("main", first)] == [old.body] * 2
    assert len(daemon.calls) == 2


def test_a_branch_that_moved_is_served_new_and_an_old_digest_is_made_again(daemon: Daemon, repository: Path) -> None:
    old = daemon.pull("hello", "main")
    committed(repository, "2.13")
    assert daemon.pull("hello", "main").body != old.body
    shutil.rmtree(daemon.storage / "layers")
    assert daemon.pull("hello", old.headers["Docker-Content-Digest"]).body == old.body


def test_a_ref_that_is_not_there_is_named(daemon: Daemon) -> None:
    answer = daemon.pull("hello", "mian")
    assert (answer.status, answer.error["code"]) == (404, "MANIFEST_UNKNOWN")
    assert "mian" in answer.error["message"]
    assert "main" in answer.error["message"]
    assert daemon.calls == []

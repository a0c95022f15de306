"""The git source with real git: logins, keys, and servers that hang or are not there."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted

from nixery.errors import SourceUnavailable
from nixery.sources.git import Limits
from tests.integration.conftest import need
from tests.integration.git_world import LATEST, World, build, git_world
from tests.integration.ssh_server import sshd

PASSWORD = "s3cret-word"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    need("git")
    with git_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("login", ["", "me:wrong-word@", "me@"])
@pytest_twisted.ensureDeferred
async def test_a_wrong_login_is_said_at_once_and_without_the_password(world: World, login: str) -> None:
    world.server.login = f"me:{PASSWORD}"
    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"(Authentication failed|could not read \w+) for") as caught:
        await world.source(world.server.url("set", login)).pin(LATEST)
    assert time.monotonic() - begun < 10
    assert "wrong-word" not in caught.value.message


@pytest_twisted.ensureDeferred
async def test_a_login_comes_from_the_url_or_a_credential_helper(world: World) -> None:
    world.server.login = f"me:{PASSWORD}"
    assert await world.source(world.server.url("set", f"me:{PASSWORD}@")).pin(LATEST)
    (world.folder / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    (world.folder / ".git-credentials").write_text(world.server.url("", f"me:{PASSWORD}@"))
    assert await world.served().pin(LATEST)


@pytest_twisted.ensureDeferred
async def test_a_server_that_hangs_is_given_up(world: World) -> None:
    world.server.silent = threading.Event()
    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match="no answer in 0.5 s"):
        await world.served(Limits(0.5, 0.5)).pin(LATEST)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/set", "/nonexistent/set", "ext::touch%20hit", "--upload-pack=x"])
@pytest_twisted.ensureDeferred
async def test_a_server_that_is_not_there_is_named(world: World, url: str) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be read: .*fatal: "):
        await world.source(url).pin(LATEST)


@pytest_twisted.ensureDeferred
async def test_over_ssh_the_right_key_is_let_in_and_another_is_told_so(world: World, tmp_path: Path) -> None:
    need("sshd", "ssh-keygen")
    with sshd(tmp_path / "ssh") as ssh:
        url = ssh.url(world.repository.folder)
        assert build(await world.source(url, GIT_SSH_COMMAND=ssh.right).pin(LATEST)) == "first"
        with pytest.raises(SourceUnavailable, match="Permission denied"):
            await world.source(url, GIT_SSH_COMMAND=ssh.wrong).pin(LATEST)
        with pytest.raises(SourceUnavailable, match="Host key verification failed"):
            await world.source(url, GIT_SSH_COMMAND="ssh -F none -o UserKnownHostsFile=/dev/null").pin(LATEST)

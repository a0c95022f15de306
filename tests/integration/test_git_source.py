"""The git source with real git: over HTTP, SSH and files, with logins, hangs and hostile tags."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock

from nixery.concurrency.process import Processes
from nixery.errors import ManifestUnknown, SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.nix.expressions import FOLDER, IMAGE
from nixery.sources.git import GitUpstream, Limits
from nixery.sources.git_program import Git
from nixery.sources.pins import Pins
from nixery.storage.memory import MemoryStorage
from tests.integration.conftest import need
from tests.integration.daemon import NIX_CONFIG
from tests.integration.git_server import PASSWORD, GitServer, Upstream, serving, sshd, upstream

LATEST = Tag("latest")
NO_HURRY = Limits()


@pytest.fixture(autouse=True, scope="module")
def git_is_here() -> None:
    need("git")


@pytest.fixture
def repository(tmp_path: Path) -> Upstream:
    return upstream(tmp_path / "served" / "set")


@pytest.fixture
def server(repository: Upstream) -> Iterator[GitServer]:
    with serving(GitServer(repository.folder.parent)) as server:
        yield server


@define
class World:
    """Sources, with a clock of their own, whose every call of git is written down."""

    folder: Path
    clock: Clock = field(factory=Clock)

    def __attrs_post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        wrapper = self.folder / "bin" / "git"
        wrapper.write_text(f'#!/bin/sh\necho "$5" "$@" >> {self.folder}/calls\nexec {shutil.which("git")} "$@"\n')
        wrapper.chmod(0o755)

    def source(self, url: str, limits: Limits = NO_HURRY, submodules: bool = False, **environment: str) -> Pins:
        processes = Processes(
            reactor,  # type: ignore[arg-type]  # a module to mypy
            f"{self.folder}/bin:{os.environ['PATH']}",
            grace=0.3,
        )
        processes.startService()
        users = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **environment}
        expression = str(FOLDER / "git.nix")
        git = Git(processes, users)
        folder = str(self.folder / "git")
        upstream = GitUpstream(url, git, expression, folder, self.clock, 300, limits, submodules)
        return Pins(upstream, MemoryStorage(), self.clock, 300)

    def calls(self, verb: str) -> int:
        path = self.folder / "calls"
        return sum(f" {verb} " in line for line in path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def build(pinned: PinnedSource) -> str:
    """What Nix makes of the package `salt`."""
    values = {
        **{"source": pinned.expression, "packages": '["salt"]', "system": "x86_64-linux"},
        "arguments": json.dumps(dict(pinned.arguments)),
    }
    words = [word for name, value in values.items() for word in ("--argstr", name, value)]
    command = ("nix-build", str(IMAGE), "--no-out-link", *words)
    environment = os.environ | {"NIX_CONFIG": NIX_CONFIG}
    built = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return Path(built.stdout.strip()).read_text().strip()


@pytest_twisted.ensureDeferred
async def test_a_branch_that_moves_is_seen_after_the_time_to_live(
    world: World, server: GitServer, repository: Upstream
) -> None:
    source = world.source(server.url("set"))
    first = await source.pin(LATEST)
    assert (first.pin, build(first)) == (repository.git("rev-parse", "HEAD"), "first")
    second = repository.commit("second")
    assert await source.pin(LATEST) == first
    world.clock.advance(301)
    assert ((await source.pin(LATEST)).pin, build(await source.pin(Tag("main")))) == (second, "second")
    assert build(first) == "first"


@pytest_twisted.ensureDeferred
async def test_each_kind_of_ref_is_its_commit(world: World, server: GitServer, repository: Upstream) -> None:
    tagged = repository.git("rev-parse", "HEAD")
    repository.git("tag", "-a", "-m", "words", "v1.0")
    repository.git("checkout", "--quiet", "-b", "feature/new--er")
    branched = repository.commit("branched")
    repository.git("checkout", "--quiet", "main")
    source = world.source(server.url("set"))
    assert (await source.pin(Tag("v1.0"))).pin == tagged
    assert build(await source.pin(Tag("feature--new--er"))) == "branched"
    assert (await source.pin(Tag(branched))).pin == branched


@pytest_twisted.ensureDeferred
async def test_a_commit_that_is_here_needs_no_server_also_after_a_restart(
    world: World, server: GitServer, repository: Upstream
) -> None:
    old = repository.git("rev-parse", "HEAD")
    repository.commit("second")
    assert (await world.source(server.url("set")).pin(Tag(old))).pin == old
    server.requests.clear()
    pinned = await world.source(server.url("set")).pin(Tag(old))
    assert (build(pinned), server.requests) == ("first", [])


@pytest_twisted.ensureDeferred
async def test_an_old_server_is_asked_for_an_annotated_tag_by_its_name(
    world: World, server: GitServer, repository: Upstream
) -> None:
    server.modern = False
    repository.git("tag", "-a", "-m", "words", "v1.0")
    repository.commit("second")
    assert build(await world.source(server.url("set")).pin(Tag("v1.0"))) == "first"
    assert (world.calls("fetch"), world.calls("--depth=1")) == (2, 2), "by its id, by its name"


@pytest_twisted.ensureDeferred
async def test_an_old_server_is_asked_for_all_that_it_has_when_a_commit_has_no_name(
    world: World, server: GitServer, repository: Upstream
) -> None:
    server.modern = False
    old = repository.git("rev-parse", "HEAD")
    repository.commit("second")
    new = repository.commit("third")
    source = world.source(server.url("set"))
    assert (await source.pin(LATEST)).pin == new
    assert build(await source.pin(Tag(old))) == "first"
    with pytest.raises(ManifestUnknown, match="has no commit dddd"):
        await source.pin(Tag("d" * 40))
    assert world.calls("fetch") == 4, "the tip; the old by its id, and all; what nobody has, by its id alone"


@pytest_twisted.ensureDeferred
async def test_an_id_that_the_server_does_not_have_is_unknown(world: World, server: GitServer) -> None:
    with pytest.raises(ManifestUnknown, match="has no commit dddd"):
        await world.source(server.url("set")).pin(Tag("d" * 40))
    assert world.calls("fetch") == 1


@pytest_twisted.ensureDeferred
async def test_fifty_at_once_cost_one_look_and_one_fetch(world: World, server: GitServer) -> None:
    source = world.source(server.url("set"))
    pins = await gatherResults([Deferred.fromCoroutine(source.pin(LATEST)) for _ in range(50)])
    assert len(set(pins)) == 1
    assert (world.calls("ls-remote"), world.calls("fetch")) == (1, 1)


@pytest.mark.parametrize("login", ["", "me:wrong-word@", "me@"])
@pytest_twisted.ensureDeferred
async def test_a_wrong_login_is_said_at_once_and_without_the_password(
    world: World, server: GitServer, login: str
) -> None:
    server.login = f"me:{PASSWORD}"
    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"(Authentication failed|could not read \w+) for") as caught:
        await world.source(server.url("set", login)).pin(LATEST)
    assert time.monotonic() - begun < 10
    assert "wrong-word" not in caught.value.message


@pytest_twisted.ensureDeferred
async def test_a_login_comes_from_the_url_or_a_credential_helper(world: World, server: GitServer) -> None:
    server.login = f"me:{PASSWORD}"
    assert await world.source(server.url("set", f"me:{PASSWORD}@")).pin(LATEST)
    (world.folder / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    (world.folder / ".git-credentials").write_text(server.url("", f"me:{PASSWORD}@"))
    assert await world.source(server.url("set")).pin(LATEST)


@pytest_twisted.ensureDeferred
async def test_a_server_that_hangs_is_given_up(world: World, server: GitServer) -> None:
    server.silent = threading.Event()
    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match="no answer in 0.5 s"):
        await world.source(server.url("set"), Limits(0.5, 0.5)).pin(LATEST)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/set", "/nonexistent/set", "ext::touch%20hit", "--upload-pack=x"])
@pytest_twisted.ensureDeferred
async def test_a_server_that_is_not_there_is_named(world: World, url: str) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be read: .*fatal: "):
        await world.source(url).pin(LATEST)


@pytest.mark.parametrize("tag", ["_--upload-pack=x", "HEAD", "refs", "main.lock", "a..b", "0", "FETCH_HEAD", "x.-_"])
@pytest_twisted.ensureDeferred
async def test_a_hostile_tag_is_unknown_and_never_reaches_git(world: World, repository: Upstream, tag: str) -> None:
    with pytest.raises(ManifestUnknown):
        await world.source(f"file://{repository.folder}").pin(Tag(tag))
    assert tag not in (world.folder / "calls").read_text().replace("\n", " ").split()


@pytest.mark.parametrize("left", ["shallow.lock", "refs/nixery/{}.lock", "refs/nixery/{}"])
@pytest_twisted.ensureDeferred
async def test_a_lock_that_a_killed_fetch_left_is_no_hindrance(world: World, repository: Upstream, left: str) -> None:
    source = world.source(str(repository.folder))
    await source.pin(LATEST)
    (made,) = (world.folder / "git").iterdir()
    (made / ".git" / left.format(repository.commit("second"))).write_text("")
    world.clock.advance(301)
    assert build(await source.pin(LATEST)) == "second"


@pytest.mark.parametrize("wanted", [True, False])
@pytest_twisted.ensureDeferred
async def test_submodules_come_with_it_when_asked_for_and_theirs_too(
    world: World, server: GitServer, repository: Upstream, wanted: bool
) -> None:
    inner, outer = (upstream(repository.folder.parent / name) for name in ("inner", "outer"))
    inner.commit("innermost")
    for parent, child in ((outer, "../inner"), (repository, "../outer")):
        parent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", child, "lib/part")
        parent.git("commit", "--quiet", "-m", "submodule")
    (repository.folder / "default.nix").write_text(
        "{ system }: if builtins.pathExists ./lib/part/default.nix then import ./lib/part/lib/part { inherit system; }"
        ' else { salt = derivation { name = "no"; inherit system; builder = "/bin/sh";'
        ' args = [ "-c" "echo none > $out" ]; }; }'
    )
    repository.git("commit", "--quiet", "-am", "use it")
    source = world.source(server.url("set"), submodules=wanted)
    pinned = await source.pin(LATEST)
    assert build(pinned) == ("innermost" if wanted else "none")
    assert world.calls("fetch") == (3 if wanted else 1)
    server.requests.clear()
    again = await world.source(server.url("set"), submodules=wanted).pin(Tag(repository.git("rev-parse", "HEAD")))
    assert (again, server.requests) == (pinned, [])


@pytest_twisted.ensureDeferred
async def test_a_submodule_in_a_file_of_this_host_is_refused_as_git_does(
    world: World, server: GitServer, repository: Upstream
) -> None:
    inner = upstream(repository.folder.parent / "inner")
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.folder), "part")
    repository.git("commit", "--quiet", "-m", "submodule")
    with pytest.raises(SourceUnavailable, match="transport 'file' not allowed"):
        await world.source(server.url("set"), submodules=True).pin(LATEST)


@pytest_twisted.ensureDeferred
async def test_over_ssh_the_right_key_is_let_in_and_another_is_told_so(
    world: World, repository: Upstream, tmp_path: Path
) -> None:
    need("sshd", "ssh-keygen")
    with sshd(tmp_path / "ssh") as ssh:
        url = ssh.url(repository.folder)
        assert build(await world.source(url, GIT_SSH_COMMAND=ssh.right).pin(LATEST)) == "first"
        with pytest.raises(SourceUnavailable, match="Permission denied"):
            await world.source(url, GIT_SSH_COMMAND=ssh.wrong).pin(LATEST)
        with pytest.raises(SourceUnavailable, match="Host key verification failed"):
            await world.source(url, GIT_SSH_COMMAND="ssh -F none -o UserKnownHostsFile=/dev/null").pin(LATEST)

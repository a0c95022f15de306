"""The git source with real git: branches, git tags and commits, of modern servers and old ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from nixery.errors import ManifestUnknown
from nixery.images.name import Tag
from tests.integration.conftest import need
from tests.integration.git_world import LATEST, World, build, git_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    need("git")
    with git_world(tmp_path) as world:
        yield world


@pytest_twisted.ensureDeferred
async def test_a_branch_that_moves_is_seen_after_the_time_to_live(world: World) -> None:
    source = world.served()
    first = await source.pin(LATEST)
    assert (first.pin, build(first)) == (world.repository.git("rev-parse", "HEAD"), "first")
    second = world.repository.commit("second")
    assert await source.pin(LATEST) == first
    world.clock.advance(301)
    assert ((await source.pin(LATEST)).pin, build(await source.pin(Tag("main")))) == (second, "second")
    assert build(first) == "first"


@pytest_twisted.ensureDeferred
async def test_each_kind_of_ref_is_its_commit(world: World) -> None:
    tagged = world.repository.git("rev-parse", "HEAD")
    world.repository.git("tag", "-a", "-m", "words", "v1.0")
    world.repository.git("checkout", "--quiet", "-b", "feature/new--er")
    branched = world.repository.commit("branched")
    world.repository.git("checkout", "--quiet", "main")
    source = world.served()
    assert (await source.pin(Tag("v1.0"))).pin == tagged
    assert build(await source.pin(Tag("feature--new--er"))) == "branched"
    assert (await source.pin(Tag(branched))).pin == branched


@pytest_twisted.ensureDeferred
async def test_a_commit_that_is_here_needs_no_server_also_after_a_restart(world: World) -> None:
    old = world.repository.git("rev-parse", "HEAD")
    world.repository.commit("second")
    assert (await world.served().pin(Tag(old))).pin == old
    world.server.requests.clear()
    pinned = await world.served().pin(Tag(old))
    assert (build(pinned), world.server.requests) == ("first", [])


@pytest_twisted.ensureDeferred
async def test_an_old_server_is_asked_for_an_annotated_tag_by_its_name(world: World) -> None:
    world.server.modern = False
    world.repository.git("tag", "-a", "-m", "words", "v1.0")
    world.repository.commit("second")
    assert build(await world.served().pin(Tag("v1.0"))) == "first"
    assert (world.calls("fetch"), world.calls("--depth=1")) == (2, 2), "by its id, by its name"


@pytest_twisted.ensureDeferred
async def test_an_old_server_is_asked_for_all_that_it_has_when_a_commit_has_no_name(world: World) -> None:
    world.server.modern = False
    old = world.repository.git("rev-parse", "HEAD")
    world.repository.commit("second")
    new = world.repository.commit("third")
    source = world.served()
    assert (await source.pin(LATEST)).pin == new
    assert build(await source.pin(Tag(old))) == "first"
    with pytest.raises(ManifestUnknown, match="has no commit dddd"):
        await source.pin(Tag("d" * 40))
    assert world.calls("fetch") == 4, "the tip; the old by its id, and all; what nobody has, by its id alone"


@pytest_twisted.ensureDeferred
async def test_an_id_that_the_server_does_not_have_is_unknown(world: World) -> None:
    with pytest.raises(ManifestUnknown, match="has no commit dddd"):
        await world.served().pin(Tag("d" * 40))
    assert world.calls("fetch") == 1


@pytest_twisted.ensureDeferred
async def test_fifty_at_once_cost_one_look_and_one_fetch(world: World) -> None:
    source = world.served()
    pins = await gatherResults([Deferred.fromCoroutine(source.pin(LATEST)) for _ in range(50)])
    assert len(set(pins)) == 1
    assert (world.calls("ls-remote"), world.calls("fetch")) == (1, 1)


@pytest.mark.parametrize("tag", ["_--upload-pack=x", "HEAD", "refs", "main.lock", "a..b", "0", "FETCH_HEAD", "x.-_"])
@pytest_twisted.ensureDeferred
async def test_a_hostile_tag_is_unknown_and_never_reaches_git(world: World, tag: str) -> None:
    with pytest.raises(ManifestUnknown):
        await world.source(f"file://{world.repository.folder}").pin(Tag(tag))
    assert tag not in (world.folder / "calls").read_text().replace("\n", " ").split()


@pytest.mark.parametrize("left", ["shallow.lock", "refs/nixery/{}.lock", "refs/nixery/{}"])
@pytest_twisted.ensureDeferred
async def test_a_lock_that_a_killed_fetch_left_is_no_hindrance(world: World, left: str) -> None:
    source = world.source(str(world.repository.folder))
    await source.pin(LATEST)
    (made,) = (world.folder / "git").iterdir()
    (made / ".git" / left.format(world.repository.commit("second"))).write_text("")
    world.clock.advance(301)
    assert build(await source.pin(LATEST)) == "second"

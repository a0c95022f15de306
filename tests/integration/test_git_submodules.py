"""The git source with real git: submodules."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted

from nixery.errors import SourceUnavailable
from nixery.images.name import Tag
from tests.integration.conftest import need
from tests.integration.git_repository import upstream
from tests.integration.git_world import LATEST, World, build, git_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    need("git")
    with git_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("wanted", [True, False])
@pytest_twisted.ensureDeferred
async def test_submodules_come_with_it_when_asked_for_and_theirs_too(world: World, wanted: bool) -> None:
    inner, outer = (upstream(world.repository.folder.parent / name) for name in ("inner", "outer"))
    inner.commit("innermost")
    for parent, child in ((outer, "../inner"), (world.repository, "../outer")):
        parent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", child, "lib/part")
        parent.git("commit", "--quiet", "-m", "submodule")
    (world.repository.folder / "default.nix").write_text(
        "{ system }: if builtins.pathExists ./lib/part/default.nix then import ./lib/part/lib/part { inherit system; }"
        ' else { salt = derivation { name = "no"; inherit system; builder = "/bin/sh";'
        ' args = [ "-c" "echo none > $out" ]; }; }'
    )
    world.repository.git("commit", "--quiet", "-am", "use it")
    source = world.served(submodules=wanted)
    pinned = await source.pin(LATEST)
    assert build(pinned) == ("innermost" if wanted else "none")
    assert world.calls("fetch") == (3 if wanted else 1)
    world.server.requests.clear()
    again = await world.served(submodules=wanted).pin(Tag(world.repository.git("rev-parse", "HEAD")))
    assert (again, world.server.requests) == (pinned, [])


@pytest_twisted.ensureDeferred
async def test_a_submodule_in_a_file_of_this_host_is_refused_as_git_does(world: World) -> None:
    inner = upstream(world.repository.folder.parent / "inner")
    world.repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.folder), "part")
    world.repository.git("commit", "--quiet", "-m", "submodule")
    with pytest.raises(SourceUnavailable, match="transport 'file' not allowed"):
        await world.served(submodules=True).pin(LATEST)

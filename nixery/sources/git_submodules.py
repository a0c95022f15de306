"""A commit with its submodules' files in their places, made here: Nix then reads one tree, and asks no server.

See gitmodules(5), and gitglossary(7) for gitlinks: entries of mode 160000 that name a commit of another repository.
"""

import posixpath
import re
from collections.abc import Callable

from nixery.concurrency.output import Capped, Lines
from nixery.errors import SourceUnavailable
from nixery.sources.git_repository import Repository, ours
from nixery.sources.refs import Ref

_GITLINK = re.compile(rb'160000 commit ([0-9a-f]{40})\t([^"].*)')
_SETTING = re.compile(r"submodule\.(.+)\.(path|url)=(.*)")
_DEEPEST = 8
_MOST = 200
_LIST = 1 << 20


class Submodules:
    """Joins commits of a repository with their submodules. One call at a time: it uses the repository's index."""

    def __init__(self, repository: Repository, may_take_all: Callable[[], bool]) -> None:
        self._repository = repository
        self._may_take_all = may_take_all

    async def join(self, url: str, commit: str, depth: int = 0) -> str:
        """A commit that is here, to one with the files of its submodules, or itself when it has none.

        Raises SourceUnavailable, and ManifestUnknown where a submodule's server does not have its commit.
        """
        links = await self._links(commit)
        if not links:
            return commit
        made = await self._repository.commit_at(_joined(commit))
        if made is None:
            urls = await self._urls(commit)
            parts = {path: await self._part(url, urls, path, link, depth) for path, link in links.items()}
            made = await self._write(commit, parts)
        return made

    async def _links(self, commit: str) -> dict[str, str]:
        links: dict[str, str] = {}

        def take(line: bytes) -> None:
            found = _GITLINK.fullmatch(line)
            if found is not None and len(links) <= _MOST:
                links[found[2].decode(errors="replace")] = found[1].decode()

        command = ("-c", "core.quotePath=false", "ls-tree", "-r", commit)
        outcome = await self._repository.local(*command, stdout=Lines(take, 8192))
        if not outcome.good:
            raise SourceUnavailable(f"the files of commit {commit} cannot be listed: {outcome.words}")
        if len(links) > _MOST:
            raise SourceUnavailable(f"commit {commit} has more than {_MOST} submodules")
        return links

    async def _urls(self, commit: str) -> dict[str, str]:
        """Submodules' URLs by their paths."""
        stdout = Capped(_LIST)
        await self._repository.local("config", "--blob", f"{commit}:.gitmodules", "--list", stdout=stdout)
        settings: dict[str, dict[str, str]] = {}
        for found in map(_SETTING.fullmatch, stdout.text().splitlines()):
            if found is not None:
                settings.setdefault(found[1], {})[found[2]] = found[3]
        return {said["path"]: said["url"] for said in settings.values() if said.keys() == {"path", "url"}}

    async def _part(self, url: str, urls: dict[str, str], path: str, commit: str, depth: int) -> str:
        if path not in urls or depth >= _DEEPEST:
            why = f"is more than {_DEEPEST} deep" if path in urls else "has no URL in .gitmodules"
            raise SourceUnavailable(f"the submodule {path!r} {why}")
        part = absolute(url, urls[path])
        await self._repository.hold(part, Ref(commit), self._may_take_all, by_user=False)
        return await self.join(part, commit, depth + 1)

    async def _write(self, commit: str, parts: dict[str, str]) -> str:
        await self._must("read-tree", commit)
        for path, part in parts.items():
            await self._must("update-index", "--force-remove", "--", path)
            await self._must("read-tree", f"--prefix={path}/", part)
        tree = await self._must("write-tree")
        who = ("-c", "user.name=nixery", "-c", "user.email=nixery@localhost")
        made = await self._must(*who, "commit-tree", "-m", f"{commit} with its submodules", tree)
        await self._must("update-ref", _joined(commit), made)
        # Nix is told to look below the name that every commit of ours has.
        await self._must("update-ref", ours(made), made)
        return made

    async def _must(self, *arguments: str) -> str:
        stdout = Capped(100)
        outcome = await self._repository.local(*arguments, stdout=stdout)
        if not outcome.good:
            raise SourceUnavailable(f"submodules cannot be put in their places: {outcome.words}")
        return stdout.text().strip()


def absolute(parent: str, url: str) -> str:
    """A submodule's URL; one that begins with ./ or ../ starts from its parent's (man git-submodule, add)."""
    if not url.startswith(("./", "../")):
        return url
    found = re.fullmatch(r"([a-z+]+://[^/]*/|[^/:]+:)?(.*)", parent, re.DOTALL)
    assert found is not None
    return (found[1] or "") + posixpath.normpath(posixpath.join(found[2], url))


def _joined(commit: str) -> str:
    return f"refs/joined/{commit}"

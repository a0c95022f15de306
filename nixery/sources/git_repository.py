"""The commits of a git server that are on this host: one repository, each commit without its history."""

import contextlib
import os
from collections.abc import Callable

from attrs import frozen

from nixery.concurrency.output import Capped, Sink
from nixery.errors import ManifestUnknown, SourceUnavailable, public
from nixery.sources.git_program import Git, Outcome
from nixery.sources.refs import Ref

_LOCAL_SECONDS = 30.0
_ALL_HISTORY = "2147483647"  # man git-fetch, --depth: also makes up for what earlier fetches left out
_LOCKS = ("shallow.lock", "config.lock", "packed-refs.lock", "index.lock", "refs/from/one.lock")
_REFUSED = "unadvertised object"  # fetch-pack.c: an old server, told to give no commit by its id
_NOT_THERE = "not our ref"  # upload-pack.c


class Repository:
    """A repository in `folder`, of one daemon's own. One call at a time: see GitUpstream.

    It has a work tree, which stays empty: from a repository with one Nix reads, from a bare one it makes a copy first.
    """

    def __init__(self, git: Git, folder: str, seconds: float) -> None:
        self._git = git
        self._folder = folder
        self._seconds = seconds
        self._made = False

    async def hold(self, url: str, ref: Ref, may_take_all: Callable[[], bool], by_user: bool = True) -> None:
        """Have a commit here, fetched unless it is; where nothing else helps, with all that the server has, if it may.

        `by_user`: whether the URL is from the settings, as some kinds of URL are not for others to choose (man git,
        GIT_PROTOCOL_FROM_USER). Raises ManifestUnknown where the server has no such commit, and SourceUnavailable.
        """
        server = _Server(self._git, url, self._folder, self._seconds, by_user)
        await self._make()
        if await self._has(ref.commit):
            return
        self._unlink(ours(ref.commit), f"{ours(ref.commit)}.lock")  # may be left half written
        by_id = await server.fetch("1", f"+{ref.commit}:{ours(ref.commit)}")
        if not by_id.good and _REFUSED in by_id.words:
            await self._hold_by_name(server, ref, may_take_all)
            return
        if not by_id.good and _NOT_THERE not in by_id.words:
            raise server.failure(by_id)
        if not by_id.good or not await self._has(ref.commit):
            raise server.unknown(ref.commit)

    async def _hold_by_name(self, server: "_Server", ref: Ref, may_take_all: Callable[[], bool]) -> None:
        """From a server that gives no commits by their id: what the ref is now, or else all there is."""
        if ref.name is not None:
            server.check(await server.fetch("1", f"+{ref.name}:refs/from/one"))
            if await self._keep(ref.commit):
                return
        if not may_take_all():
            raise server.unknown(ref.commit)
        every = ("+refs/heads/*:refs/from/heads/*", "+refs/tags/*:refs/from/tags/*")
        server.check(await server.fetch(_ALL_HISTORY, *every))
        if not await self._keep(ref.commit):
            raise server.unknown(ref.commit)

    async def _make(self) -> None:
        """Make the repository, and take away locks: nobody else writes here, so who made them was killed."""
        if not self._made:
            outcome = await self._git.run(("init", "--quiet", "--template=", "--", self._folder), _LOCAL_SECONDS)
            if not outcome.good:
                raise SourceUnavailable(f"the git repository {self._folder} cannot be made: {outcome.words}")
            self._made = True
        self._unlink(*_LOCKS)

    def _unlink(self, *names: str) -> None:
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._folder, ".git", name))

    async def commit_at(self, name: str) -> str | None:
        """The commit that a ref of this repository stands for."""
        stdout = Capped(100)
        await self.local("rev-parse", "--verify", "--quiet", name + "^{commit}", stdout=stdout)
        return stdout.text().strip() or None

    async def local(self, *arguments: str, stdout: Sink | None = None) -> Outcome:
        """Run a command of git in the repository that needs no server; raises SourceUnavailable."""
        outcome = await self._git.run(("-C", self._folder, *arguments), _LOCAL_SECONDS, stdout)
        if outcome.timed_out:
            raise SourceUnavailable(f"git {arguments[0]} in {self._folder} took longer than {_LOCAL_SECONDS:g} s")
        return outcome

    async def _has(self, commit: str) -> bool:
        return await self.commit_at(ours(commit)) == commit

    async def _keep(self, commit: str) -> bool:
        """Hold a commit that may be here against git's garbage collection; whether it is."""
        await self.local("update-ref", ours(commit), commit)
        return await self._has(commit)


@frozen
class _Server:
    """One server, and the folder into which is fetched from it."""

    git: Git
    url: str
    folder: str
    seconds: float
    by_user: bool

    async def fetch(self, depth: str, *refspecs: str) -> Outcome:
        """Fetch; nothing is left running behind it, and no commit comes for a tag that points to it."""
        options = ("--quiet", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules", "--no-write-fetch-head")
        command = ("-C", self.folder, "fetch", *options, f"--depth={depth}", "--", self.url, *refspecs)
        return await self.git.run(command, self.seconds, by_user=self.by_user)

    def check(self, outcome: Outcome) -> None:
        """Raise SourceUnavailable unless git did it."""
        if not outcome.good:
            raise self.failure(outcome)

    def failure(self, outcome: Outcome) -> SourceUnavailable:
        """What went wrong, in git's words."""
        why = f"not done in {self.seconds:g} s" if outcome.timed_out else outcome.words
        return SourceUnavailable(f"cannot fetch from the git repository {public(self.url)}: {why}")

    def unknown(self, commit: str) -> ManifestUnknown:
        """That the server has no such commit."""
        return ManifestUnknown(f"the git repository {public(self.url)} has no commit {commit}")


def ours(commit: str) -> str:
    """The ref that holds a commit against git's garbage collection."""
    return f"refs/nixery/{commit}"

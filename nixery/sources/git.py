"""A package set in a git repository: the image tag is the branch, the git tag or the commit. See refs for how."""

import hashlib
import os
from collections.abc import Collection
from urllib.parse import quote

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.output import Lines
from nixery.concurrency.recent import Recent
from nixery.errors import ManifestUnknown, SourceUnavailable, public
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources import origins
from nixery.sources.git_program import Git
from nixery.sources.git_repository import Repository
from nixery.sources.git_submodules import Submodules
from nixery.sources.home import home_of
from nixery.sources.interfaces import Sighting
from nixery.sources.origins import WITH_SUBMODULES
from nixery.sources.refs import Listing, Ref, Refs, commit_id

_MOST_UNNAMED = 20
"""Commits that no branch or tag is at which may wait to be fetched: who asks for random ids must not hold up others."""
_LINE_BYTES = 512
"""Of a line about a ref: more than any that a tag can name has."""


@frozen
class Limits:
    """Seconds that a look at the server's refs, and a fetch, may take."""

    look: float = 30.0
    fetch: float = 600.0


class GitUpstream:
    """See Upstream. The server's refs are asked for at most every `ttl` seconds; a commit that is here never again.

    `url`: whatever git takes. `expression`: our git.nix. `folder`: what is fetched lies below it, for this daemon only.
    `submodules`: whether their files are part of the set.
    """

    def __init__(
        self,
        url: str,
        git: Git,
        expression: str,
        folder: str,
        clock: IReactorTime,
        ttl: float,
        limits: Limits = Limits(),
        submodules: bool = False,
    ) -> None:
        self._url = url
        self._git = git
        self._expression = expression
        self._clock = clock
        self._ttl = ttl
        self._limits = limits
        self._folder = os.path.join(os.path.abspath(folder), _folder_name(url))
        self._repository = Repository(git, self._folder, limits.fetch)
        self._submodules = Submodules(self._repository, self._may_take_all) if submodules else None
        self._looks: Coalescer[None, tuple[float, Refs]] = Coalescer(1)
        self._fetches: Coalescer[str, str] = Coalescer(1)
        self._refs: tuple[float, Refs] | None = None
        self._took_all: float | None = None
        self._here: Recent[str, str] = Recent()

    @property
    def words(self) -> str:
        """See Upstream."""
        return origins.git(self._url, self._submodules is not None).words

    async def tags(self) -> Collection[str]:
        """See Upstream: branches and git tags as an image's tag writes them, and `latest`."""
        _, refs = await self._current()
        return refs.tags()

    async def look(self, tag: Tag) -> Sighting:
        """See Upstream. A commit's id is not looked up; whether there is such a commit is known when it is fetched."""
        commit = commit_id(tag)
        if commit is not None:
            return Sighting(self._pin(commit), None)
        asked, refs = await self._current()
        return Sighting(self._pin(refs.resolve(tag).commit), asked)

    async def have(self, pin: str) -> PinnedSource:
        """See Upstream."""
        commit = commit_id(Tag(pin.removesuffix(WITH_SUBMODULES)))  # a record says it, which others may have written
        if commit is None:
            raise ManifestUnknown(f"{self.words} has nothing that is called {pin[:100]!r}")
        tree = self._here.get(commit) or await self._fetched(commit)
        arguments = (("url", "file://" + quote(self._folder)), ("commit", tree))
        return PinnedSource("git", self._pin(commit), self._expression, arguments, home_of(self._url))

    def _pin(self, commit: str) -> str:
        return commit if self._submodules is None else commit + WITH_SUBMODULES

    async def _current(self) -> tuple[float, Refs]:
        """When the server was asked, and what it has."""
        if self._refs is not None and abs(self._clock.seconds() - self._refs[0]) < self._ttl:
            return self._refs
        return await self._looks.join(None, self._ask)

    async def _ask(self) -> tuple[float, Refs]:
        """Ask the server. How old the answer is counts from before the question."""
        asked = self._clock.seconds()
        listing = Listing()
        command = ("ls-remote", "--quiet", "--", self._url)
        outcome = await self._git.run(command, self._limits.look, Lines(listing.line, _LINE_BYTES))
        if not outcome.good:
            why = f"no answer in {self._limits.look:g} s" if outcome.timed_out else outcome.words
            raise SourceUnavailable(f"{self.words} cannot be read: {why}")
        refs = listing.refs()
        if not refs.commits:  # git takes any page for a server without refs
            raise SourceUnavailable(
                f"{self.words} tells of no branch and no git tag: it is empty, has SHA-256 commits, or is a page that "
                "is no repository; open its URL to see which"
            )
        self._refs = (asked, refs)
        return self._refs

    def _fetched(self, commit: str) -> Deferred[str]:
        """The commit that Nix is to read."""
        if len(self._fetches) > _MOST_UNNAMED and self._ref(commit).name is None:
            raise SourceUnavailable(f"{_MOST_UNNAMED} commits of {self.words} are waited for already: ask again later")
        return self._fetches.join(commit, lambda: self._fetch(commit))

    def _ref(self, commit: str) -> Ref:
        return Ref(commit) if self._refs is None else self._refs[1].at(commit)

    async def _fetch(self, commit: str) -> str:
        ref = self._ref(commit)
        try:
            await self._repository.hold(self._url, ref, self._may_take_all)
        except ManifestUnknown:
            if ref.name is not None:  # the ref was moved by force since it was looked up
                self._refs = None
            raise
        tree = commit if self._submodules is None else await self._submodules.join(self._url, commit)
        self._here.put(commit, tree)
        return tree

    def _may_take_all(self) -> bool:
        """Ids that nobody has must not each cost a fetch of the whole history."""
        now = self._clock.seconds()
        if self._took_all is not None and abs(now - self._took_all) < self._ttl:
            return False
        self._took_all = now
        return True


def _folder_name(url: str) -> str:
    """One repository for each server: what one instance could fetch is not for another that is set up otherwise."""
    return hashlib.sha256(public(url).encode()).hexdigest()[:16]

"""A package set in a git repository: the image tag is the branch, the git tag or the commit. See refs for how."""

import hashlib
import os
from urllib.parse import quote

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from nixery.concurrency.coalescer import Coalescer
from nixery.concurrency.output import Lines
from nixery.errors import SourceUnavailable
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources.git_program import Git, public
from nixery.sources.git_repository import Repository
from nixery.sources.git_submodules import Submodules
from nixery.sources.refs import Listing, Ref, Refs, commit_id


@frozen
class Limits:
    """Seconds that a look at the server's refs, and a fetch, may take."""

    look: float = 30.0
    fetch: float = 600.0


class GitSource:
    """See Source. The server's refs are asked for at most every `ttl` seconds; a commit that is here never again.

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
        self._looks: Coalescer[None, Refs] = Coalescer(1)
        self._fetches: Coalescer[str, str] = Coalescer(1)
        self._refs: tuple[float, Refs] | None = None
        self._took_all: float | None = None
        self._here: dict[str, str] = {}

    async def pin(self, tag: Tag) -> PinnedSource:
        """See Source. Raises ManifestUnknown for a ref or commit that the server does not have."""
        commit = commit_id(tag)
        ref = Ref(commit) if commit is not None else (await self._current()).resolve(tag)
        tree = self._here.get(ref.commit) or await self._fetches.join(ref.commit, lambda: self._fetch(ref))
        arguments = (("url", "file://" + quote(self._folder)), ("commit", tree))
        pin = ref.commit if self._submodules is None else f"{ref.commit} with submodules"
        return PinnedSource("git", pin, self._expression, arguments)

    def tag_of(self, pin: str) -> Tag:
        """See Source: the commit's id."""
        return Tag(pin.partition(" ")[0])

    async def still(self, pinned: PinnedSource) -> bool:
        """See Source: a commit never changes."""
        return True

    async def _current(self) -> Refs:
        if self._refs is not None and self._clock.seconds() - self._refs[0] < self._ttl:
            return self._refs[1]
        return await self._looks.join(None, self._look)

    async def _look(self) -> Refs:
        """Ask the server. How old the answer is counts from before the question."""
        asked = self._clock.seconds()
        listing = Listing()
        command = ("ls-remote", "--quiet", "--", self._url)
        outcome = await self._git.run(command, self._limits.look, Lines(listing.line, 4096))
        if not outcome.good:
            why = f"no answer in {self._limits.look:g} s" if outcome.timed_out else outcome.words
            raise SourceUnavailable(f"the git repository {public(self._url)} cannot be read: {why}")
        refs = listing.refs()
        self._refs = (asked, refs)
        return refs

    async def _fetch(self, ref: Ref) -> str:
        """The commit that Nix is to read."""
        await self._repository.hold(self._url, ref, self._may_take_all)
        tree = ref.commit if self._submodules is None else await self._submodules.join(self._url, ref.commit)
        self._here[ref.commit] = tree
        return tree

    def _may_take_all(self) -> bool:
        """Ids that nobody has must not each cost a fetch of the whole history."""
        now = self._clock.seconds()
        if self._took_all is not None and now - self._took_all < self._ttl:
            return False
        self._took_all = now
        return True


def _folder_name(url: str) -> str:
    """One repository for each server: what one instance could fetch is not for another that is set up otherwise."""
    return hashlib.sha256(public(url).encode()).hexdigest()[:16]

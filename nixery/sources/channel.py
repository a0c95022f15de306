"""A channel of nixpkgs: `latest` is the channel of the setting, another tag is a channel, branch, git tag or commit.

A `/`, which an image tag cannot hold, is written `--`: `release--24.05` is the branch `release/24.05`, unless there is
one that is really called `release--24.05`.
"""

import re
from collections.abc import Collection

from twisted.internet.interfaces import IReactorTime

from nixery.errors import ManifestUnknown, SourceUnavailable, public
from nixery.fetching.address import shown
from nixery.fetching.web import Web
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.sources import origins
from nixery.sources.interfaces import LATEST, Sighting
from nixery.sources.places import Place, Places, commit_in, refs
from nixery.sources.refs import commit_id
from nixery.sources.tarball import Tarballs

_PIN = re.compile(r"([0-9a-f]{40}) ([0-9a-df-np-sv-z]{52})", re.ASCII)
_HOME = "https://github.com/NixOS/nixpkgs"
"""Of all channels, also where a mirror has them."""

_MOST_UNNAMED = 20
"""Tarballs that may wait when one more is asked for by its commit: random ids must not hold up channels."""
_MOST = 1 << 16
"""Bytes of an answer: a page that says that there is nothing may have more than a commit's id."""


class Channel:
    """See Upstream. A pin is a commit's id and the hash of what its tarball has.

    What a pin stands for is in the store when it was looked up here; else, and when it has left the store, Nix
    fetches it while it evaluates. So an image that is stored needs no tarball. `expression`: our channel.nix.
    """

    def __init__(
        self, channel: str, places: Places, web: Web, tarballs: Tarballs, clock: IReactorTime, expression: str
    ) -> None:
        self._channel = channel
        self._places = places
        self._web = web
        self._tarballs = tarballs
        self._clock = clock
        self._expression = expression

    @property
    def words(self) -> str:
        """See Upstream."""
        return origins.channel(self._channel, self._places).words

    async def tags(self) -> Collection[str]:
        """See Upstream: that of the setting. What else there is, nobody lists."""
        return {LATEST.text, self._channel}

    async def look(self, tag: Tag) -> Sighting:
        """See Upstream. Fetches the tarball too, as only that tells its hash."""
        text = self._channel if tag == LATEST else tag.text
        commit = commit_id(Tag(text))
        if commit is not None:
            if self._tarballs.waiting > _MOST_UNNAMED and tag != LATEST:
                raise SourceUnavailable(f"{_MOST_UNNAMED} tarballs of {self.words} are waited for: ask again later")
            return Sighting(await self._pin(commit), None)
        asked = self._clock.seconds()
        commit = await self._current(text)
        try:
            return Sighting(await self._pin(commit), asked)
        except ManifestUnknown as error:  # not the asker's fault: it may come
            raise SourceUnavailable(f"{text!r} is at the commit {commit}, but {error.message}") from error

    async def have(self, pin: str) -> PinnedSource:
        """See Upstream. Asks nobody."""
        found = _PIN.fullmatch(pin)  # a record says it, which others may have written
        if found is None:
            raise ManifestUnknown(f"{self.words} has nothing that is called {pin[:100]!r}")
        url = public(self._places.archive(found[1]))  # as it goes to Nix's command line and into its errors
        return PinnedSource("channel", pin, self._expression, (("url", url), ("sha256", found[2])), _HOME)

    async def _pin(self, commit: str) -> str:
        return f"{commit} {await self._tarballs.hash(self._places.archive(commit))}"

    async def _current(self, text: str) -> str:
        """The commit at which a channel, branch or git tag is."""
        for ref in refs(text):
            for place in self._places.revisions:
                commit = await self._ask(place, ref)
                if commit is not None:
                    return commit
        raise ManifestUnknown(f"{self._places.name} has no channel, branch or git tag {text!r}")

    async def _ask(self, place: Place, ref: str) -> str | None:
        """The commit at which a place has a ref, or None."""
        page = await self._web.get(place.of(ref), _MOST, headers=place.headers)
        if page.status in place.missing:
            return None
        commit = commit_in(page.body) if page.status == 200 else None
        if commit is None:
            what = f"status {page.status}" if page.status != 200 else f"{page.body[:60]!r}, which is no commit's id"
            raise SourceUnavailable(f"{shown(page.url)} answers with {what}")
        return commit

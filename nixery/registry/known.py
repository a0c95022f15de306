"""Manifests that were had a moment ago: answered before routes are matched, and without the storage."""

from typing import TypeAlias

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from nixery.concurrency.recent import Recent
from nixery.images.name import Tag
from nixery.images.source import PinnedSource
from nixery.registry.interfaces import Images
from nixery.registry.manifests import Manifest

TRUST = 2.0
"""Seconds for which what was seen to be stored is taken to be there still, unless a client misses a blob before.

Then one request looks anew, and others are answered for at most as long again.
"""

_MOST_BYTES = 64 << 20

_OVERHEAD = 4096
"""Bytes that an entry takes beside those of its manifest and of the request."""


@frozen
class State:
    """What a tag meant when its manifest was had."""

    tag: Tag
    pinned: PinnedSource


@frozen
class _Entry:
    """An answer, when it was had by the clock, and the state that its tag has to mean still; None for a digest's.

    `renewing`: whether somebody looks anew.
    """

    manifest: Manifest
    at: float
    state: State | None
    renewing: bool = False


_Asked: TypeAlias = tuple[bytes, ...]
"""All of a request that decides on which manifest it gets: its path, and its Accept headers."""


class Known:
    """Remembers answers by what was asked, in 64 MiB."""

    def __init__(self, images: Images, clock: IReactorTime) -> None:
        self._images = images
        self._clock = clock
        self._entries: Recent[_Asked, _Entry] = Recent(_MOST_BYTES, _weight)

    def keep(self, request: Request, manifest: Manifest, state: State | None) -> None:
        """Remember what this request is answered with. `state`: None where it is the same for ever."""
        self._entries.put(_asked(request), _Entry(manifest, self._clock.seconds(), state))

    def find(self, request: Request) -> Manifest | None:
        """What the routes would answer, if that is known: its tag means the same now, and it was stored just now."""
        asked = _asked(request)
        entry = self._entries.get(asked)
        if entry is None:
            return None
        age = abs(self._clock.seconds() - entry.at)
        if age >= 2 * TRUST or not self._holds(entry.state):
            self._entries.drop(asked)
            return None
        if age >= TRUST and not entry.renewing:
            self._entries.put(asked, evolve(entry, renewing=True))
            return None
        return entry.manifest

    def forget(self) -> None:
        """Look anew from now on: something that was stored is gone."""
        self._entries.clear()

    def _holds(self, state: State | None) -> bool:
        return state is None or self._images.means(state.tag, state.pinned)


class Shortcut(Resource):
    """Answers what is known, and leaves everything else to `routes`. Who may ask is decided before either."""

    isLeaf = True

    def __init__(self, known: Known, routes: IResource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted has not typed it
        self._known = known
        self._routes = routes

    def render(self, request: Request) -> bytes | int:
        """See IResource."""
        manifest = self._known.find(request) if request.method in (b"GET", b"HEAD") else None
        if manifest is None:
            rendered: bytes | int = self._routes.render(request)
            return rendered
        request.write(manifest.begin(request))
        request.finish()
        return NOT_DONE_YET


def _asked(request: Request) -> _Asked:
    return request.path, *request.requestHeaders.getRawHeaders(b"Accept", [])


def _weight(asked: _Asked, entry: _Entry) -> int:
    return sum(map(len, asked)) + len(entry.manifest.body) + _OVERHEAD

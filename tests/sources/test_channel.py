"""Channels, with a web and a nix-prefetch-url that only pretend."""

from collections.abc import Coroutine, Mapping
from typing import TypeVar

import pytest
from twisted.internet.task import Clock

from nixery.errors import ManifestUnknown, NixeryError, SourceUnavailable
from nixery.fetching.web import Page, Web
from nixery.images.name import Tag
from nixery.sources.channel import Channel
from nixery.sources.interfaces import LATEST, Sighting
from nixery.sources.places import PUBLIC, Places
from nixery.sources.tarball import Tarballs

T = TypeVar("T")

A, B = "a" * 40, "b" * 40
HASH = "0" * 52
CHANNELS = "https://channels.nixos.org/{}/git-revision"
API = "https://api.github.com/repos/NixOS/nixpkgs/commits/{}"
MIRROR = "http://me:secret@mirror.example"


class PretendedWeb(Web):
    """Answers by URL in a second; what it does not know is 404."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.pages: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.headers: Mapping[str, str] | None = None

    async def get(self, url: str, most: int, etag: str | None = None, headers: Mapping[str, str] | None = None) -> Page:
        self.clock.advance(1)
        self.asked.append(url)
        self.headers = headers
        status, body = self.pages.get(url, (404, b"<html>nothing here"))
        if len(body) > most:
            raise SourceUnavailable("too much")
        return Page(status, url, body, None)


class PretendedTarballs(Tarballs):
    """Has the tarballs of all commits but those that are missing."""

    waiting = 0

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.missing: set[str] = set()

    async def hash(self, url: str) -> str:
        self.asked.append(url)
        if url in self.missing:
            raise ManifestUnknown(f"there is no {url}")
        return HASH


class World:
    """A channel over pretenders."""

    def __init__(self, places: Places = PUBLIC, channel: str = "nixos-unstable") -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.web = PretendedWeb(self.clock)
        self.tarballs = PretendedTarballs()
        self.channel = Channel(channel, places, self.web, self.tarballs, self.clock, "/channel.nix")

    def look(self, tag: Tag = LATEST) -> Sighting:
        return done(self.channel.look(tag))

    def refused(self, tag: Tag = LATEST) -> NixeryError:
        with pytest.raises(NixeryError) as error:
            self.look(tag)
        return error.value


def done(work: Coroutine[object, None, T]) -> T:
    """The outcome of what has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration as end:
        outcome: T = end.value
        return outcome
    raise AssertionError("it waits")


@pytest.fixture
def world() -> World:
    return World()


def test_latest_is_the_channel_of_the_setting_as_of_the_question_and_a_pin_is_its_commit_and_content(
    world: World,
) -> None:
    world.web.pages = {CHANNELS.format("nixos-unstable"): (200, A.encode())}
    assert world.look() == Sighting(f"{A} {HASH}", 1000)
    assert world.tarballs.asked == [f"https://github.com/NixOS/nixpkgs/archive/{A}.tar.gz"]
    assert world.look(Tag("nixos-unstable")).pin == f"{A} {HASH}"
    assert world.channel.words == "the channel nixos-unstable of github.com/NixOS/nixpkgs"


def test_nix_is_told_where_and_what_and_nobody_is_asked(world: World) -> None:
    pinned = done(world.channel.have(f"{A} {HASH}"))
    assert (pinned.kind, pinned.pin, pinned.expression) == ("channel", f"{A} {HASH}", "/channel.nix")
    url = f"https://github.com/NixOS/nixpkgs/archive/{A}.tar.gz"
    assert dict(pinned.arguments) == {"url": url, "sha256": HASH}
    assert pinned.home == "https://github.com/NixOS/nixpkgs"
    assert (world.web.asked, world.tarballs.asked) == ([], [])


@pytest.mark.parametrize(
    "pin", ["", A, f"{A} {HASH} x", f"{A}\n{HASH}", f"{A} {HASH}\n", f"../{A[3:]} {HASH}", f"{A} {'e' * 52}"]
)
def test_a_record_that_is_no_pin_of_ours_reaches_nobody(world: World, pin: str) -> None:
    with pytest.raises(ManifestUnknown):
        done(world.channel.have(pin))


def test_what_is_no_channel_is_a_branch_or_git_tag_of_github(world: World) -> None:
    world.web.pages = {API.format("staging"): (200, B.encode())}
    assert world.look(Tag("staging")) == Sighting(f"{B} {HASH}", 1000)
    assert world.web.asked == [CHANNELS.format("staging"), API.format("staging")]
    assert world.web.headers == {"Accept": "application/vnd.github.sha"}


def test_two_dashes_are_a_slash_where_nothing_is_called_so(world: World) -> None:
    world.web.pages = {API.format("release/1"): (200, A.encode()), API.format("a--b"): (200, B.encode())}
    assert world.look(Tag("release--1")).pin.startswith(A)
    assert world.look(Tag("a--b")).pin.startswith(B)


@pytest.mark.parametrize("text", [A, A.upper()])
def test_a_commit_is_never_looked_up_and_never_expires(text: str) -> None:
    for world, tag in ((World(), Tag(text)), (World(channel=text), LATEST)):
        assert world.look(tag) == Sighting(f"{A} {HASH}", None)
        assert world.web.asked == []


@pytest.mark.parametrize(("channels", "api"), [(404, 422), (403, 404)])
def test_a_ref_that_nobody_has_is_unknown_by_its_name(world: World, channels: int, api: int) -> None:
    world.web.pages = {CHANNELS.format("mian"): (channels, b""), API.format("mian"): (api, b"{}")}
    error = world.refused(Tag("mian"))
    assert isinstance(error, ManifestUnknown)
    assert error.message == "github.com/NixOS/nixpkgs has no channel, branch or git tag 'mian'"
    assert world.tarballs.asked == []


def test_a_tag_that_no_ref_can_be_called_is_not_asked_for(world: World) -> None:
    assert isinstance(world.refused(Tag("a--..--b")), ManifestUnknown)
    assert world.web.asked == []


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>Welcome to the hotel's network", 'b"<html>Welcome'),
        (200, b"", "no commit's id"),
        (200, b"\xff\x00" * 20, "no commit's id"),
        (200, A.encode() + b"\n" + B.encode(), "no commit's id"),
        (500, A.encode(), "status 500"),
        (304, b"", "status 304"),
        (200, b"a" * 10_000_000, "too much"),
    ],
)
def test_an_answer_that_is_no_commits_id_is_refused_in_words(
    world: World, status: int, body: bytes, words: str
) -> None:
    world.web.pages = {CHANNELS.format("nixos-unstable"): (status, body)}
    error = world.refused()
    assert isinstance(error, SourceUnavailable)
    assert words in error.message
    assert len(error.message) < 300
    assert world.tarballs.asked == []


def test_a_github_that_has_heard_enough_is_no_verdict_on_the_ref(world: World) -> None:
    world.web.pages = {API.format("staging"): (403, b'{"message":"API rate limit exceeded"}')}
    error = world.refused(Tag("staging"))
    assert isinstance(error, SourceUnavailable)
    assert "api.github.com" in error.message
    assert "403" in error.message


def test_a_mirror_stands_for_all_places_and_its_password_goes_to_nobody_else() -> None:
    world = World(Places.mirror(MIRROR))
    world.web.pages = {f"{MIRROR}/nixos-unstable/git-revision": (200, A.encode() + b"\n")}
    assert world.look().pin == f"{A} {HASH}"
    assert isinstance(world.refused(Tag("staging")), ManifestUnknown)
    assert done(world.channel.have(f"{A} {HASH}")).home == "https://github.com/NixOS/nixpkgs"
    assert all(url.startswith(MIRROR) for url in (*world.web.asked, *world.tarballs.asked))
    assert "secret" not in f"{done(world.channel.have(f'{A} {HASH}'))} {world.channel.words} {world.refused(Tag('x'))}"


def test_a_commit_without_a_tarball_is_unknown_but_a_channel_that_is_at_one_is_out_of_order(world: World) -> None:
    world.tarballs.missing = {f"https://github.com/NixOS/nixpkgs/archive/{A}.tar.gz"}
    world.web.pages = {CHANNELS.format("nixos-unstable"): (200, A.encode())}
    assert isinstance(world.refused(Tag(A)), ManifestUnknown)
    error = world.refused()
    assert isinstance(error, SourceUnavailable)
    assert f"'nixos-unstable' is at the commit {A}, but there is no https" in error.message


def test_commits_that_nobody_names_do_not_hold_up_a_channel() -> None:
    world = World()
    world.web.pages[CHANNELS.format("nixos-unstable")] = (200, A.encode())
    world.tarballs.waiting = 21
    assert world.look().pin.startswith(A)
    error = world.refused(Tag(B))
    assert isinstance(error, SourceUnavailable)
    assert "20 tarballs of the channel nixos-unstable of github.com/NixOS/nixpkgs are waited for" in error.message

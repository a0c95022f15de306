"""The wiring of what the daemon stands on: its package set's source, the popularity, and the folders of its state."""

import os
from collections.abc import Callable, Mapping

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.interfaces import IReactorCore

from nixery.concurrency.lair import alone
from nixery.concurrency.pool import Threads
from nixery.concurrency.process import IReactorProcessTime, Processes
from nixery.concurrency.senders import Senders
from nixery.config import Config, PackageSet
from nixery.debian.lists import apt_has_newer
from nixery.errors import ConfigError, SourceUnavailable
from nixery.fetching.agent import IReactorWeb
from nixery.fetching.popularity import place_of
from nixery.fetching.proxy import Proxies
from nixery.fetching.ranking import Ranking
from nixery.fetching.web import Web
from nixery.nix import expressions
from nixery.nix.roots import Roots
from nixery.sources.channel import Channel
from nixery.sources.debian import DebianSource
from nixery.sources.debian_program import IndexProgram
from nixery.sources.debian_refresh import Refresher
from nixery.sources.flake import AsFlake
from nixery.sources.git import GitUpstream
from nixery.sources.git_program import Git
from nixery.sources.interfaces import Source
from nixery.sources.path import PathSource
from nixery.sources.pins import Pins
from nixery.sources.places import places_at
from nixery.sources.tarball import Tarballs
from nixery.storage.interfaces import IReactorThreadsTime, IStorage


class Reactor(IReactorProcessTime, IReactorThreadsTime, IReactorCore, IReactorWeb):
    """What is needed of a reactor."""


@frozen
class Parts:
    """What all the others stand on. `files` and `senders`: see Pools; `nix`: the environment of Nix's programs."""

    config: Config
    reactor: Reactor
    files: Threads
    senders: Senders
    cpu: Threads
    storage: IStorage
    roots: Roots
    processes: Processes
    nix: Mapping[str, str]


def folder_in(state: str, name: str, shared: bool = True) -> str:
    """A folder in the state folder, made here, where what stands against it can still be said.

    `shared`: whether other daemons may use it at the same time.
    """
    folder = os.path.join(state, name)
    try:
        if not shared:
            return alone(folder)
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the state folder {state!r} cannot be used: {error.strerror}; set STATE_DIRECTORY or XDG_STATE_HOME"
        ) from error
    return folder


def source_of(parts: Parts) -> tuple[Source, list[Service]]:
    """The package set's source, and what of it is a service."""
    packages = parts.config.packages
    source = _SOURCES[packages.kind](parts, packages)
    services: list[Service] = [source] if isinstance(source, Service) else []
    return AsFlake(source) if packages.flake else source, services


def _path(parts: Parts, packages: PackageSet) -> Source:
    return PathSource(packages.place, str(expressions.PATH), parts.files, parts.reactor, packages.path_ttl)


def _debian(parts: Parts, packages: PackageSet) -> Source:
    program = IndexProgram(parts.processes, parts.config.environment)
    refresher = Refresher(packages.place, program, apt_has_newer, parts.files, parts.reactor, packages.ttl)
    return DebianSource(packages.place, str(expressions.DEBIAN), parts.files, refresher)


def _git(parts: Parts, packages: PackageSet) -> Source:
    git = Git(parts.processes, parts.config.environment)
    folder = folder_in(parts.config.storage.state, "git", shared=False)
    place, expression, ttl = packages.place, str(expressions.GIT), packages.ttl
    upstream = GitUpstream(place, git, expression, folder, parts.reactor, ttl, submodules=packages.submodules)
    return Pins(upstream, parts.storage, parts.reactor, ttl)


def _channel(parts: Parts, packages: PackageSet) -> Source:
    places = places_at(packages.channel_url)
    tarballs = Tarballs(parts.processes, parts.nix, parts.files)
    web = _web(parts)
    channel = Channel(packages.place, places, web, tarballs, parts.reactor, str(expressions.CHANNEL))
    return Pins(channel, parts.storage, parts.reactor, packages.ttl)


_SOURCES: Mapping[str, Callable[[Parts, PackageSet], Source]] = {
    "path": _path,
    "git": _git,
    "channel": _channel,
    "debian": _debian,
}


def _web(parts: Parts) -> Web:
    return Web(parts.reactor, proxies=Proxies.parse(parts.config.environment))


def ranking_of(parts: Parts) -> Ranking | None:
    """The popularity that is renewed, None where none is set; raises ConfigError."""
    url = parts.config.popularity
    if url is None:
        return None
    folder = folder_in(parts.config.storage.state, "popularity")
    try:
        place = place_of(url, _web(parts), folder, parts.files)
        return Ranking(place, parts.reactor, parts.config.popularity_ttl)
    except (OSError, ValueError, SourceUnavailable) as error:
        raise ConfigError(f"NIX_POPULARITY_URL is {url!r}, which is no popularity file: {error}") from error

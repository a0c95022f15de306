"""The one place that wires the parts: from options and environment to the services that `twistd nixery` runs."""

import contextlib
import os
from collections.abc import Iterator

from twisted.application import strports
from twisted.application.service import IService, Service
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads
from twisted.python import usage

from nixery.building.builder import Builder, Settings
from nixery.building.cache import Cache
from nixery.building.layering import Layers
from nixery.concurrency.ordered import OrderedServices
from nixery.concurrency.pool import Threads
from nixery.concurrency.process import IReactorProcessTime, Processes
from nixery.config import SETTINGS, Config, read_config
from nixery.errors import ConfigError
from nixery.images.name import Platform
from nixery.images.popularity import Popularity
from nixery.nix import expressions
from nixery.nix.driver import Limits, Nix
from nixery.nix.environment import child_environment
from nixery.nix.roots import Roots
from nixery.packing.packer import Packer
from nixery.pages.resource import Pages
from nixery.registry.routes import Registry
from nixery.registry.site import Drain, Site, make_site
from nixery.sources.debian import DebianSource
from nixery.sources.git import GitSource
from nixery.sources.git_program import Git
from nixery.sources.interfaces import Source
from nixery.sources.path import PathSource
from nixery.storage.backend import backend_named
from nixery.storage.interfaces import IStorage

_FILE_THREADS = 8


class Reactor(IReactorProcessTime, IReactorFromThreads, IReactorCore):
    """What is needed of a reactor."""


class Options(usage.Options):
    """One option for each setting, and where to listen."""

    synopsis = "[options]"
    longdesc = (
        "Serve container images that Nix builds when they are pulled. Each option overrides the variable of its name."
    )
    optParameters = [
        ["listen", None, None, "a Twisted endpoint to listen on, instead of PORT"],
        *([s.option, None, None, f"{s.help} [{s.variable}; default: {s.default or 'none'}]"] for s in SETTINGS),
    ]


def makeService(options: Options) -> IService:
    """The daemon. Ends the process with one line and status 1 when its settings are wrong, before anything listens."""
    from twisted.internet import reactor

    try:
        config = read_config(os.environ, options, os.uname().machine, os.cpu_count() or 1, options["listen"])
        return wire(config, reactor)  # type: ignore[arg-type]  # mypy sees a module
    except ConfigError as error:
        raise SystemExit(f"nixery: {error}") from None


def wire(config: Config, reactor: Reactor) -> IService:
    """The services of a daemon, in the order in which they stand on each other; raises ConfigError."""
    roots = Roots(_folder(config.state, "gcroots"))
    files = Threads(reactor, _FILE_THREADS, "files")
    cpu = Threads(reactor, config.pack_workers, "packing")
    storage = backend_named(config.storage_backend).make(config.storage_settings, files)
    processes = Processes(reactor, config.environment.get("PATH", os.defpath))
    source = _source(config, files, reactor, processes)
    builder = _builder(config, reactor, source, cpu, storage, _nix(config, processes, roots))
    registry = Registry(builder, storage, files, reactor)
    site = make_site(registry.app.resource(), Pages(), reactor)  # type: ignore[no-untyped-call]  # Twisted's
    services = _Daemon()  # type: ignore[no-untyped-call]  # Twisted's
    drain = Drain(site, reactor)
    port = _listening(config.listen, site, reactor)
    watching = [source] if isinstance(source, Service) else []
    for service in (files, cpu, storage, roots, *watching, processes, drain, builder, port):
        IService(service).setServiceParent(services)
    return services


class _Daemon(OrderedServices):
    """Ends the process with one line when its port or its folders cannot be had, rather than serve nothing."""

    def privilegedStartService(self) -> None:
        """Listen."""
        with _in_one_line():
            super().privilegedStartService()  # type: ignore[no-untyped-call]  # Twisted has not typed it

    def startService(self) -> None:
        """Start all services."""
        with _in_one_line():
            super().startService()  # type: ignore[no-untyped-call]  # Twisted has not typed it


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except CannotListenError as error:
        raise SystemExit(f"nixery: {error}; choose another PORT, or another endpoint by --listen") from None
    except OSError as error:
        raise SystemExit(f"nixery: cannot start: {error}") from None


def _folder(state: str, name: str) -> str:
    """A folder in the state folder, made here, where what stands against it can still be said."""
    folder = os.path.join(state, name)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the state folder {state!r} cannot be used: {error.strerror}; set STATE_DIRECTORY or XDG_STATE_HOME"
        ) from error
    return folder


def _listening(endpoint: str, site: Site, reactor: Reactor) -> IService:
    try:
        return strports.service(endpoint, site, reactor)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"--listen is {endpoint!r}, which is no Twisted endpoint: {error}") from error


def _builder(config: Config, reactor: Reactor, source: Source, cpu: Threads, storage: IStorage, nix: Nix) -> Builder:
    cache = Cache(storage)
    layers = Layers(Packer(cpu, storage), cache, cpu, _popularity(config.popularity), config.max_layers)
    settings = Settings(expressions.fingerprint(), Platform(config.platform), config.max_builds, config.hold)
    return Builder(source, nix, layers, cache, reactor, settings)


def _nix(config: Config, processes: Processes, roots: Roots) -> Nix:
    environment = child_environment(config.environment, os.getuid())
    limits = Limits(config.builder_seconds, config.build_seconds)
    return Nix(processes, environment, str(expressions.IMAGE), roots.folder, limits)


def _source(config: Config, files: Threads, reactor: Reactor, processes: Processes) -> Source:
    if config.source_kind == "debian":
        return DebianSource(config.source_path, str(expressions.DEBIAN), files)
    if config.source_kind == "git":
        git = Git(processes, config.environment)
        folder = _folder(config.state, "git")
        ttl = config.source_ttl
        expression = str(expressions.GIT)
        return GitSource(config.source_path, git, expression, folder, reactor, ttl, submodules=config.submodules)
    return PathSource(config.source_path, files, reactor, config.path_ttl)


def _popularity(path: str | None) -> Popularity | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return Popularity.parse(file.read())
    except (OSError, ValueError) as error:
        raise ConfigError(f"NIX_POPULARITY_URL is {path!r}, which is no popularity file: {error}") from error

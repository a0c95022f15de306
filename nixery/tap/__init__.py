"""Where the parts are wired: from options and environment to the services of `twistd nixery`."""

import contextlib
import os
from collections.abc import Iterator
from random import SystemRandom

from twisted.application import strports
from twisted.application.service import IService
from twisted.internet.error import CannotListenError
from twisted.python import usage

from nixery.building.builder import Builder, Settings
from nixery.building.cache import Cache
from nixery.building.last_good import LastGood, Policy
from nixery.building.layering import Layers
from nixery.building.leases import Leases
from nixery.building.platforms import Platforms
from nixery.building.tags import Serving, Tags
from nixery.building.transcoding import Transcoder
from nixery.concurrency.ordered import OrderedServices
from nixery.concurrency.pool import Threads
from nixery.concurrency.process import Processes
from nixery.config import Config, read_config
from nixery.errors import ConfigError
from nixery.fetching.ranking import Ranking
from nixery.images.canonical import fingerprint
from nixery.images.name import Platform
from nixery.nix import expressions
from nixery.nix.driver import Limits, Nix
from nixery.nix.environment import child_environment
from nixery.nix.roots import Roots
from nixery.nix.trust import refuse_ignored
from nixery.packing.packer import Packer
from nixery.pages.resource import Pages
from nixery.registry.catalog import Catalog
from nixery.registry.listening import everywhere
from nixery.registry.routes import Registry
from nixery.registry.site import Drain, Site, make_site
from nixery.settings import SETTINGS
from nixery.sources.interfaces import Source
from nixery.storage.backend import backend_named
from nixery.storage.interfaces import Surroundings
from nixery.tap.wiring import Parts, Reactor, folder_in, ranking_of, source_of

_FILE_THREADS = 8


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
    roots = Roots(folder_in(config.state, "gcroots"))
    files = Threads(reactor, _FILE_THREADS, "files")
    cpu = Threads(reactor, config.pack_workers, "packing")
    storage = backend_named(config.storage_backend).make(
        config.storage_settings, Surroundings(reactor, files, os.path.join(config.state, "spool"))
    )
    processes = Processes(reactor, config.environment.get("PATH", os.defpath))
    environment = child_environment(config.environment, os.getuid(), config.nix.settings)
    parts = Parts(config, reactor, files, cpu, storage, roots, processes, environment)
    if config.nix.settings:
        refuse_ignored(processes.program("nix"), environment, config.nix.settings)
    return _services(parts)


def _services(parts: Parts) -> IService:
    source, watching = source_of(parts)
    ranking = ranking_of(parts)
    builder = _builder(parts, source, _nix(parts), ranking)
    site = _site(parts, _tags(parts, source, builder))
    drain = Drain(site, parts.reactor)
    port = _listening(parts.config.face.listen or everywhere(parts.config.face.port), site, parts.reactor)
    services = _Daemon()  # type: ignore[no-untyped-call]  # Twisted's
    below = (parts.files, parts.cpu, parts.storage, parts.roots, *watching, *([] if ranking is None else [ranking]))
    for service in (*below, parts.processes, drain, builder, port):
        IService(service).setServiceParent(services)
    return services


def _site(parts: Parts, tags: Tags) -> Site:
    face = parts.config.face
    catalog = Catalog(parts.storage) if face.catalog else None
    registry = Registry(tags, parts.storage, parts.files, parts.reactor, catalog)
    root = registry.app.resource()
    return make_site(root, Pages(), parts.reactor, face.origins, face.proxies)  # type: ignore[no-untyped-call]  # Twisted


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


def _listening(endpoint: str, site: Site, reactor: Reactor) -> IService:
    try:
        return strports.service(endpoint, site, reactor)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"--listen is {endpoint!r}, which is no Twisted endpoint: {error}") from error


def _builder(parts: Parts, source: Source, nix: Nix, ranking: Ranking | None) -> Builder:
    config = parts.config
    cache = Cache(parts.storage)
    transcoder = Transcoder(parts.storage, parts.cpu, config.pack_workers) if config.zstd else None
    layers = Layers(Packer(parts.cpu, parts.storage), cache, parts.cpu, config.max_layers, transcoder)
    settings = Settings(_evaluation(config), Platform(config.platform), config.max_builds, config.hold)
    popularity = (lambda: None) if ranking is None else ranking.current
    leases = Leases(parts.storage, parts.reactor, SystemRandom())
    return Builder(source, nix, layers, cache, popularity, parts.reactor, settings, leases)


def _evaluation(config: Config) -> str:
    """What stands for how names are evaluated: our expressions, and the settings."""
    settings = _meaning(config)
    return fingerprint([expressions.fingerprint(), *settings]) if settings else expressions.fingerprint()


def _meaning(config: Config) -> tuple[object, ...]:
    """The settings that decide on what names mean: cross-building, and what nixpkgs reads of the environment."""
    read = {name: os.fsencode(text).hex() for name, text in config.environment.items() if name.startswith("NIXPKGS_")}
    cross = config.platform if config.nix.cross else None
    return (cross, read) if read or cross else ()


def _tags(parts: Parts, source: Source, builder: Builder) -> Tags:
    config = parts.config
    good = LastGood(parts.storage, parts.reactor, config.stale_max)
    settings = _meaning(config)
    words = f" with settings {fingerprint(settings)}" if settings else ""
    serving = Serving(Policy(config.stale), config.hold, words)
    platforms = Platforms(builder, Cache(parts.storage), tuple(map(Platform, config.platforms)))
    return Tags(source, platforms, good, parts.reactor, serving)


def _nix(parts: Parts) -> Nix:
    config = parts.config.nix
    limits = Limits(config.builder_seconds, config.build_seconds)
    cross = Platform(parts.config.platform).system if config.cross else None
    return Nix(parts.processes, parts.nix, str(expressions.IMAGE), parts.roots.folder, limits, cross)

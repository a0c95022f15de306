"""Where the parts are wired: from options and environment to the services of `twistd nixery`."""

import os
from random import SystemRandom

from twisted.application.service import IService
from twisted.python import usage

from nixery.building.builder import Builder, Settings
from nixery.building.cache import Cache
from nixery.building.last_good import LastGood, Policy
from nixery.building.layering import Layers
from nixery.building.leases import Leases
from nixery.building.platforms import Platforms
from nixery.building.tags import Serving, Tags
from nixery.building.transcoding import Transcoder
from nixery.concurrency.pool import Threads
from nixery.concurrency.process import Processes
from nixery.concurrency.senders import Senders
from nixery.config import Config, read_config
from nixery.fetching.ranking import Ranking
from nixery.images.canonical import fingerprint
from nixery.images.name import Platform
from nixery.nix import expressions
from nixery.nix.driver import Limits, Nix
from nixery.nix.environment import child_environment
from nixery.nix.roots import Roots
from nixery.nix.trust import refuse_ignored
from nixery.packing.packer import Packer
from nixery.packing.workers import Workers
from nixery.pages.resource import Pages
from nixery.registry.catalog import Catalog
from nixery.registry.contents import Pools
from nixery.registry.routes import Registry
from nixery.registry.site import Drain, Site, make_site
from nixery.settings import SETTINGS
from nixery.sources.interfaces import Source
from nixery.storage.backend import backend_named
from nixery.storage.interfaces import Surroundings
from nixery.tap.daemon import FILE_THREADS, SEND_THREADS, Daemon, in_one_line, listening, parameters
from nixery.tap.meaning import in_words, meaning
from nixery.tap.wiring import Parts, Reactor, folder_in, ranking_of, source_of


class Options(usage.Options):
    """One option for each setting, and where to listen."""

    synopsis = "[options]"
    longdesc = (
        "Serve container images that Nix builds when they are pulled. Each option overrides the variable of its name."
    )
    optParameters = parameters(SETTINGS)


def makeService(options: Options) -> IService:
    """The daemon. Ends the process with one line and status 1 when its settings are wrong, before anything listens."""
    from twisted.internet import reactor

    with in_one_line("nixery"):
        config = read_config(os.environ, options, os.uname().machine, os.cpu_count() or 1, options["listen"])
        return wire(config, reactor)  # type: ignore[arg-type]  # mypy sees a module


def wire(config: Config, reactor: Reactor) -> IService:
    """The services of a daemon, in the order in which they stand on each other; raises ConfigError."""
    roots = Roots(folder_in(config.storage.state, "gcroots"))
    files = Threads(reactor, FILE_THREADS, "files")
    senders = Senders(reactor, SEND_THREADS)
    cpu = Threads(reactor, config.pack_workers, "packing")
    surroundings = Surroundings(reactor, files, os.path.join(config.storage.state, "spool"))
    storage = backend_named(config.storage.backend).make(config.storage.settings, surroundings)
    processes = Processes(reactor, config.environment.get("PATH", os.defpath))
    environment = child_environment(config.environment, os.getuid(), config.nix.settings)
    parts = Parts(config, reactor, files, senders, cpu, storage, roots, processes, environment)
    if config.nix.settings:
        refuse_ignored(processes.program("nix"), environment, config.nix.settings)
    return _services(parts)


def _services(parts: Parts) -> IService:
    source, watching = source_of(parts)
    ranking = ranking_of(parts)
    builder = _builder(parts, source, _nix(parts), ranking)
    site = _site(parts, _tags(parts, source, builder))
    drain = Drain(site, parts.reactor)
    port = listening(parts.config.face, site, parts.reactor)
    services = Daemon("nixery")
    threads = (parts.files, parts.senders, parts.cpu)
    below = (*threads, parts.storage, parts.roots, *watching, *([] if ranking is None else [ranking]))
    for service in (*below, parts.processes, drain, builder, port):
        IService(service).setServiceParent(services)
    return services


def _site(parts: Parts, tags: Tags) -> Site:
    face = parts.config.face
    catalog = Catalog(parts.storage) if face.catalog else None
    registry = Registry(tags, parts.storage, Pools(parts.files, parts.senders), parts.reactor, catalog)
    root = registry.resource()
    return make_site(root, Pages(), parts.reactor, face.origins, face.proxies)


def _builder(parts: Parts, source: Source, nix: Nix, ranking: Ranking | None) -> Builder:
    config = parts.config
    cache = Cache(parts.storage)
    transcoder = Transcoder(parts.storage, parts.cpu, config.pack_workers) if config.zstd else None
    packer = Packer(parts.cpu, parts.storage, hands=Workers(config.pack_workers))
    layers = Layers(packer, cache, parts.cpu, config.max_layers, transcoder)
    settings = Settings(_evaluation(config), Platform(config.platform), config.max_builds, config.hold)
    popularity = (lambda: None) if ranking is None else ranking.current
    leases = Leases(parts.storage, parts.reactor, SystemRandom())
    return Builder(source, nix, layers, cache, popularity, parts.reactor, settings, leases)


def _evaluation(config: Config) -> str:
    """What stands for how names are evaluated: our expressions, and the settings."""
    settings = meaning(config)
    return fingerprint([expressions.fingerprint(), *settings]) if settings else expressions.fingerprint()


def _tags(parts: Parts, source: Source, builder: Builder) -> Tags:
    config = parts.config
    good = LastGood(parts.storage, parts.reactor, config.stale_max)
    serving = Serving(Policy(config.stale), config.hold, in_words(config))
    platforms = Platforms(builder, Cache(parts.storage), tuple(map(Platform, config.platforms)))
    return Tags(source, platforms, good, parts.reactor, serving)


def _nix(parts: Parts) -> Nix:
    config = parts.config.nix
    limits = Limits(config.builder_seconds, config.build_seconds)
    cross = Platform(parts.config.platform).system if config.cross else None
    return Nix(parts.processes, parts.nix, str(expressions.IMAGE), parts.roots.folder, limits, cross)

"""`twistd nixery-storage`: what builders have stored, served without Nix on the machine, and without writing."""

import os
from collections.abc import Callable, Mapping

from attrs import evolve
from twisted.application.service import IService
from twisted.python import usage

from nixery.building.stored import Meaning, StoredImages
from nixery.concurrency.pool import Threads
from nixery.concurrency.senders import Senders
from nixery.config import Config, read_config
from nixery.images.name import Platform
from nixery.pages.resource import Pages
from nixery.registry.catalog import Catalog
from nixery.registry.contents import Pools
from nixery.registry.routes import Registry
from nixery.registry.site import Drain, Site, make_site
from nixery.settings import SETTINGS, SOURCES, STORAGE_SETTINGS
from nixery.storage.backend import backend_named
from nixery.storage.interfaces import IStorage, Surroundings
from nixery.tap.daemon import FILE_THREADS, SEND_THREADS, Daemon, in_one_line, listening, parameters
from nixery.tap.meaning import in_words, origin_of
from nixery.tap.wiring import Reactor
from nixery.values import package_set_of_others

_FACE = ("PORT", "NIXERY_CATALOG", "NIXERY_CORS_ORIGINS", "NIXERY_TRUSTED_PROXIES")
_MEANING = ("NIXERY_GIT_SUBMODULES", "NIXERY_CHANNEL_URL", "NIXERY_FLAKE", "NIXERY_PLATFORMS", "NIXERY_CROSS")
_READ = {*_FACE, *SOURCES, *_MEANING, *(setting.variable for setting in STORAGE_SETTINGS)}
_NOT_HERE: Mapping[str, Callable[[str], object]] = {
    "NIXERY_PKGS_PATH": package_set_of_others,
    "NIXERY_DEBIAN_INDEX": os.path.abspath,
}
"""Package sets that builders have, and that need not be on this host."""

STORED_SETTINGS = tuple(
    evolve(setting, parse=_NOT_HERE.get(setting.variable, setting.parse))
    for setting in SETTINGS
    if setting.variable in _READ
)
"""The settings that count here; what else is set for builders is passed over."""


class Options(usage.Options):
    """One option for each of those settings, and where to listen."""

    synopsis = "[options]"
    longdesc = (
        "Serve the container images that are stored, by tag and by digest; nothing is built, and nothing written. The "
        "settings are those of the registries that build, which have the same storage."
    )
    optParameters = parameters(STORED_SETTINGS)


def makeService(options: Options) -> IService:
    """The service. Ends the process with one line and status 1 when its settings are wrong."""
    from twisted.internet import reactor

    with in_one_line("nixery-storage"):
        config = read_config(os.environ, options, os.uname().machine, 1, options["listen"], STORED_SETTINGS)
        return wire(config, reactor)  # type: ignore[arg-type]  # mypy sees a module


def wire(config: Config, reactor: Reactor) -> IService:
    """The services, in the order in which they stand on each other; raises ConfigError."""
    files, senders = Threads(reactor, FILE_THREADS, "files"), Senders(reactor, SEND_THREADS)
    surroundings = Surroundings(reactor, files, os.path.join(config.storage.state, "spool"), read_only=True)
    storage = backend_named(config.storage.backend).make(config.storage.settings, surroundings)
    site = _site(config, storage, Pools(files, senders), reactor)
    services = Daemon("nixery-storage")
    for service in (files, senders, storage, Drain(site, reactor), listening(config.face, site, reactor)):
        IService(service).setServiceParent(services)
    return services


def _site(config: Config, storage: IStorage, pools: Pools, reactor: Reactor) -> Site:
    platforms = tuple(map(Platform, config.platforms))
    images = StoredImages(storage, Meaning(origin_of(config.packages), in_words(config), platforms), reactor)
    catalog = Catalog(storage, grows=False) if config.face.catalog else None
    root = Registry(images, storage, pools, reactor, catalog).resource()
    return make_site(root, Pages(builds=False), reactor, config.face.origins, config.face.proxies)

"""Storage backends as Twisted plugins: a name, and where the code is, imported only when it is chosen."""

from collections.abc import Mapping

from attrs import frozen
from twisted.plugin import IPlugin, getPlugins
from twisted.python.reflect import namedAny
from zope.interface import implementer

from nixery.errors import ConfigError
from nixery.storage.interfaces import IStorage, IStorageBackend, Surroundings


@implementer(IPlugin, IStorageBackend)
@frozen
class Backend:
    """See IStorageBackend. `factory`: the full name of a function that does what make does.

    `extra`: of ours, which brings along what that needs.
    """

    name: str
    factory: str
    extra: str | None = None

    def make(self, settings: Mapping[str, str], surroundings: Surroundings) -> IStorage:
        """See IStorageBackend."""
        try:
            make = namedAny(self.factory)
        except ImportError as error:
            lacking = f"NIXERY_STORAGE_BACKEND is {self.name!r}, which needs a package that is not here: {error.name}"
            advice = f"; pip install 'nixery[{self.extra}]' brings it" if self.extra else ""
            raise ConfigError(lacking + advice) from error
        storage: IStorage = make(settings, surroundings)
        return storage


def backend_named(name: str) -> IStorageBackend:
    """The installed backend of that name; raises ConfigError that names those there are."""
    backends = {backend.name: backend for backend in getPlugins(IStorageBackend)}
    if name not in backends:
        raise ConfigError(f"NIXERY_STORAGE_BACKEND is {name!r}; it may be one of: {', '.join(sorted(backends))}")
    return backends[name]

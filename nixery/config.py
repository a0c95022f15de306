"""The daemon's configuration: environment variables, options that override them, one frozen Config."""

import os
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from attrs import frozen

from nixery.errors import ConfigError
from nixery.settings import NIX_SETTINGS, SETTINGS, SOURCES, STORAGE_SETTINGS, Setting


@frozen
class PackageSet:
    """Where the packages come from. `place`: a folder, a repository or a channel, by `kind`; times in seconds."""

    kind: str
    place: str
    channel_url: str | None
    path_ttl: int
    ttl: int
    submodules: bool
    flake: bool


@frozen
class NixSettings:
    """How Nix is run. `settings`: those of Nix that are set for our runs of it alone; times in seconds."""

    builder_seconds: int
    build_seconds: int
    cross: bool
    settings: Mapping[str, str]


@frozen
class Face:
    """The HTTP face. `listen`: a Twisted endpoint, None for `port` on all addresses; `proxies`: are trusted."""

    listen: str | None
    port: int
    catalog: bool
    origins: tuple[str, ...]
    proxies: tuple[IPv4Network | IPv6Network, ...]


@frozen
class StoragePlace:
    """Where blobs and records are. `settings`: for the backend, and the environment; `state`: an absolute folder."""

    backend: str
    settings: Mapping[str, str]
    state: str


@frozen
class Config:
    """All that the daemon was told. Times in seconds; folders are absolute."""

    face: Face
    packages: PackageSet
    nix: NixSettings
    stale: str
    stale_max: int
    storage: StoragePlace
    hold: int
    popularity: str | None
    popularity_ttl: int
    max_layers: int
    zstd: bool
    max_builds: int
    pack_workers: int
    platform: str
    platforms: tuple[str, ...]
    environment: Mapping[str, str]


_DEFAULTS = {setting.variable: setting.default for setting in SETTINGS}
_PLATFORMS = {"x86_64": "amd64", "aarch64": "arm64"}


def read_config(
    environment: Mapping[str, str],
    options: Mapping[str, str | None],
    machine: str,
    cores: int,
    listen: str | None,
    settings: Sequence[Setting] = SETTINGS,
) -> Config:
    """The configuration; raises ConfigError.

    `options`: by a setting's option name, None where not given. `machine`: as uname -m says; `listen`: a Twisted
    endpoint description that overrides PORT; `settings`: those that are read, the others being as if they were not set.
    """
    said = _Said(_values(environment, options, settings), cores)
    return Config(
        face=_face(said, listen),
        packages=_packages(said),
        nix=_nix(said),
        stale=said.text("NIXERY_STALE"),
        stale_max=said.number("NIXERY_STALE_MAX"),
        storage=_storage(said, environment),
        hold=said.number("NIXERY_HOLD"),
        popularity=said.given("NIX_POPULARITY_URL"),
        popularity_ttl=said.number("NIXERY_POPULARITY_TTL"),
        max_layers=said.number("NIXERY_MAX_LAYERS"),
        zstd=said.text("NIXERY_COMPRESSION") == "zstd",
        max_builds=said.number("NIXERY_MAX_BUILDS"),
        pack_workers=said.number("NIXERY_PACK_WORKERS"),
        platform=_platform(machine),
        platforms=tuple((said.given("NIXERY_PLATFORMS") or _platform(machine)).split(",")),
        environment=environment,
    )


def read_storage(environment: Mapping[str, str], options: Mapping[str, str | None]) -> StoragePlace:
    """Where the daemon of this environment has its storage, whatever else is set; `options` as for read_config."""
    return _storage(_Said(_values(environment, options, STORAGE_SETTINGS), cores=1), environment)


@frozen
class _Said:
    """What was said of the settings, by variable; where nothing was, the default counts. `cores`: of this machine."""

    values: Mapping[str, object]
    cores: int

    def text(self, variable: str) -> str:
        """A setting as text."""
        return str(self.values.get(variable, _DEFAULTS[variable]))

    def number(self, variable: str) -> int:
        """A setting as a whole number."""
        text = self.text(variable)
        return int(text) if text.isdigit() else self.cores  # the only default in words for a number

    def given(self, variable: str) -> str | None:
        """A setting, None where it was not given."""
        return self.text(variable) if variable in self.values else None

    def words(self, variable: str) -> list[str]:
        """A setting of words with commas between them."""
        return [word for word in self.text(variable).split(",") if word]

    def yes(self, variable: str) -> bool:
        """A setting that is yes or no."""
        return self.text(variable) == "yes"


def _face(said: _Said, listen: str | None) -> Face:
    return Face(
        listen=listen,
        port=said.number("PORT"),
        catalog=said.yes("NIXERY_CATALOG"),
        origins=tuple(said.words("NIXERY_CORS_ORIGINS")),
        proxies=tuple(map(ip_network, said.words("NIXERY_TRUSTED_PROXIES"))),
    )


def _storage(said: _Said, environment: Mapping[str, str]) -> StoragePlace:
    """With the settings of all backends: those that were given, and defaults that are values."""
    state = state_folder(environment)
    given = {setting.variable: said.given(setting.variable) for setting in STORAGE_SETTINGS}
    settings = {
        **environment,
        "STORAGE_PATH": os.path.join(state, "storage"),
        "NIXERY_MEMORY_LIMIT": said.text("NIXERY_MEMORY_LIMIT"),
        **{variable: text for variable, text in given.items() if text is not None},
    }
    return StoragePlace(said.text("NIXERY_STORAGE_BACKEND"), settings, state)


def _packages(said: _Said) -> PackageSet:
    source = _source(said.values)
    return PackageSet(
        kind=SOURCES[source],
        place=said.text(source),
        channel_url=said.given("NIXERY_CHANNEL_URL"),
        path_ttl=said.number("NIXERY_PATH_TTL"),
        ttl=said.number("NIXERY_SOURCE_TTL"),
        submodules=said.yes("NIXERY_GIT_SUBMODULES"),
        flake=said.yes("NIXERY_FLAKE"),
    )


def _nix(said: _Said) -> NixSettings:
    return NixSettings(
        builder_seconds=said.number("NIX_TIMEOUT"),
        build_seconds=said.number("NIXERY_BUILD_TIMEOUT"),
        cross=said.yes("NIXERY_CROSS"),
        settings={name: said.text(variable) for variable, name in NIX_SETTINGS.items() if variable in said.values},
    )


def _platform(machine: str) -> str:
    if machine not in _PLATFORMS:
        raise ConfigError(f"this machine is a {machine!r}; images are made for {' and '.join(_PLATFORMS)}")
    return _PLATFORMS[machine]


def state_folder(environment: Mapping[str, str]) -> str:
    """Where the daemon keeps its things: what systemd gave it, else the user's by the XDG base directory rules."""
    given = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return os.path.abspath(given)
    home = environment.get("XDG_STATE_HOME") or os.path.join(environment.get("HOME") or "/var", ".local", "state")
    return os.path.join(os.path.abspath(home), "nixery")


def _values(
    environment: Mapping[str, str], options: Mapping[str, str | None], settings: Sequence[Setting]
) -> dict[str, object]:
    """What was said of these settings, parsed, by variable."""
    given = {setting.variable: _given(setting, environment, options) for setting in settings}
    return {s.variable: _parsed(s, said) for s in settings if (said := given[s.variable]) is not None}


def _given(setting: Setting, environment: Mapping[str, str], options: Mapping[str, str | None]) -> str | None:
    """What was said of a setting, an empty value counting as nothing."""
    option = options.get(setting.option)
    return (environment.get(setting.variable) if option is None else option) or None


def _parsed(setting: Setting, text: str) -> object:
    try:
        return setting.parse(text)
    except ValueError as error:
        raise ConfigError(f"{setting.variable} is {text[:200]!r}; it may be {error}") from None


def _source(values: Mapping[str, object]) -> str:
    chosen = [variable for variable in SOURCES if variable in values]
    if not chosen:
        ways = " or ".join(f"{s.variable} ({s.help.partition(': ')[2]})" for s in SETTINGS if s.variable in SOURCES)
        raise ConfigError(f"no package set: set {ways}")
    if len(chosen) > 1:
        raise ConfigError(f"{' and '.join(chosen)} are both set; an instance has one package set: leave one out")
    return chosen[0]

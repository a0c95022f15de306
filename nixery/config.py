"""The daemon's configuration: environment variables, options that override them, one frozen Config."""

import os
from collections.abc import Mapping

from attrs import frozen

from nixery.errors import ConfigError
from nixery.settings import NIX_SETTINGS, SETTINGS, SOURCES, Setting


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
class Config:
    """All that the daemon was told. Times in seconds; folders are absolute."""

    listen: str
    packages: PackageSet
    nix: NixSettings
    stale: str
    stale_max: int
    storage_backend: str
    storage_settings: Mapping[str, str]
    state: str
    hold: int
    popularity: str | None
    popularity_ttl: int
    max_layers: int
    max_builds: int
    pack_workers: int
    platform: str
    environment: Mapping[str, str]


_DEFAULTS = {setting.variable: setting.default for setting in SETTINGS}
_PLATFORMS = {"x86_64": "amd64", "aarch64": "arm64"}


def read_config(
    environment: Mapping[str, str], options: Mapping[str, str | None], machine: str, cores: int, listen: str | None
) -> Config:
    """The configuration; raises ConfigError.

    `options`: by a setting's option name, None where not given. `machine`: as uname -m says; `listen`: a Twisted
    endpoint description that overrides PORT.
    """
    values = _values(environment, options)

    def text(variable: str) -> str:
        return str(values.get(variable, _DEFAULTS[variable]))

    def number(variable: str) -> int:
        said = text(variable)
        return int(said) if said.isdigit() else cores  # the only default in words for a number

    def given(variable: str) -> str | None:
        return text(variable) if variable in values else None

    def yes(variable: str) -> bool:
        return text(variable) == "yes"

    source = _source(values)
    state = state_folder(environment)
    storage = str(values.get("STORAGE_PATH", os.path.join(state, "storage")))
    return Config(
        listen=listen or f"tcp:{number('PORT')}",
        packages=PackageSet(
            kind=SOURCES[source],
            place=text(source),
            channel_url=given("NIXERY_CHANNEL_URL"),
            path_ttl=number("NIXERY_PATH_TTL"),
            ttl=number("NIXERY_SOURCE_TTL"),
            submodules=yes("NIXERY_GIT_SUBMODULES"),
            flake=yes("NIXERY_FLAKE"),
        ),
        nix=NixSettings(
            builder_seconds=number("NIX_TIMEOUT"),
            build_seconds=number("NIXERY_BUILD_TIMEOUT"),
            cross=yes("NIXERY_CROSS"),
            settings={name: text(variable) for variable, name in NIX_SETTINGS.items() if variable in values},
        ),
        stale=text("NIXERY_STALE"),
        stale_max=number("NIXERY_STALE_MAX"),
        storage_backend=text("NIXERY_STORAGE_BACKEND"),
        storage_settings={**environment, "STORAGE_PATH": storage},
        state=state,
        hold=number("NIXERY_HOLD"),
        popularity=given("NIX_POPULARITY_URL"),
        popularity_ttl=number("NIXERY_POPULARITY_TTL"),
        max_layers=number("NIXERY_MAX_LAYERS"),
        max_builds=number("NIXERY_MAX_BUILDS"),
        pack_workers=number("NIXERY_PACK_WORKERS"),
        platform=_platform(machine),
        environment=environment,
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


def _values(environment: Mapping[str, str], options: Mapping[str, str | None]) -> dict[str, object]:
    """What was said, parsed, by variable."""
    given = {setting.variable: _given(setting, environment, options) for setting in SETTINGS}
    return {s.variable: _parsed(s, said) for s in SETTINGS if (said := given[s.variable]) is not None}


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

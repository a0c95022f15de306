"""The daemon's configuration: environment variables, options that override them, one frozen Config.

docs/configuration.md describes the same settings; a test holds the two together.
"""

import os
from collections.abc import Callable, Mapping

from attrs import frozen

from nixery.errors import ConfigError


@frozen
class Setting:
    """One setting. `parse` raises ValueError that says what the value may be; `default` as a person writes it."""

    variable: str
    default: str
    help: str
    parse: Callable[[str], object] = str

    @property
    def option(self) -> str:
        """The option of the same name."""
        return self.variable.lower().replace("_", "-")


@frozen
class Config:
    """All that the daemon was told. Times in seconds; folders are absolute."""

    listen: str
    source_kind: str
    source_path: str
    path_ttl: int
    source_ttl: int
    submodules: bool
    storage_backend: str
    storage_settings: Mapping[str, str]
    state: str
    builder_seconds: int
    build_seconds: int
    hold: int
    popularity: str | None
    max_layers: int
    max_builds: int
    pack_workers: int
    platform: str
    environment: Mapping[str, str]


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def _package_set(text: str) -> str:
    """A folder; its default.nix stands for it, and other files would be pinned without what they import."""
    folder = os.path.dirname(os.path.abspath(text)) if os.path.basename(text) == "default.nix" else text
    if not os.path.isfile(os.path.join(folder, "default.nix")):
        raise ValueError("a folder with a default.nix")
    return os.path.abspath(folder)


def _repository(text: str) -> str:
    """As git takes it; a path of this host becomes absolute, as git runs in more than one folder."""
    if text.startswith("-") or not text.isprintable():
        raise ValueError("a URL or path of a git repository")
    return os.path.abspath(text) if os.path.isdir(text) else text


def _yes_or_no(text: str) -> str:
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text


def _index(text: str) -> str:
    if not os.path.isfile(os.path.join(text, "index.json")):
        raise ValueError("a folder that nixery-debian-index has written")
    return os.path.abspath(text)


def _later(text: str) -> str:
    raise ValueError(f"nothing in this version: use {' or '.join(_SOURCES)}")


def _file(text: str) -> str:
    path = text.removeprefix("file://")
    if not os.path.isabs(path) or not os.path.isfile(path):
        raise ValueError("a file:// URL or absolute path of a file that exists (other URLs are for a later version)")
    return path


_DAY = 24 * 3600
_TTL = _whole(0, _DAY)
_SOURCES = {"NIXERY_PKGS_PATH": "path", "NIXERY_PKGS_REPO": "git", "NIXERY_DEBIAN_INDEX": "debian"}

SETTINGS = (
    Setting("PORT", "8080", "TCP port to listen on, on all of the host's IPv4 addresses", _whole(1, 65535)),
    Setting(
        "NIXERY_PKGS_PATH", "", "package set: a folder with a default.nix, such as a checkout of nixpkgs", _package_set
    ),
    Setting(
        "NIXERY_PATH_TTL", "2", "seconds that an edit of NIXERY_PKGS_PATH may go unseen, where watching fails", _TTL
    ),
    Setting("NIXERY_DEBIAN_INDEX", "", "package set: Debian's, by an index of nixery-debian-index", _index),
    Setting("NIXERY_CHANNEL", "", "package set: a Nix channel (in a later version)", _later),
    Setting("NIXERY_PKGS_REPO", "", "package set: a git repository, by a URL or path that git takes", _repository),
    Setting("NIXERY_SOURCE_TTL", "300", "seconds for which a branch or tag is not looked up again", _TTL),
    Setting("NIXERY_GIT_SUBMODULES", "no", "whether submodules are part of the set: yes or no", _yes_or_no),
    Setting("NIXERY_STORAGE_BACKEND", "filesystem", "where blobs are stored: filesystem or memory"),
    Setting("STORAGE_PATH", "storage in the state folder", "the filesystem backend's folder", os.path.abspath),
    Setting("NIX_TIMEOUT", "60", "seconds that one builder of Nix may take", _whole(1, _DAY)),
    Setting("NIXERY_BUILD_TIMEOUT", "1800", "seconds that nix-build may take for an image", _whole(1, _DAY)),
    Setting("NIXERY_HOLD", "240", "seconds that a request waits for its image", _whole(1, _DAY)),
    Setting("NIX_POPULARITY_URL", "counted from each image", "popularity of packages, for sharing layers", _file),
    Setting("NIXERY_MAX_LAYERS", "94", "most layers of an image", _whole(2, 125)),
    Setting("NIXERY_MAX_BUILDS", "number of cores", "builds that run at once", _whole(1, 1000)),
    Setting("NIXERY_PACK_WORKERS", "number of cores", "layers that are packed at once", _whole(1, 1000)),
)

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

    source = _source(values)
    state = state_folder(environment)
    storage = str(values.get("STORAGE_PATH", os.path.join(state, "storage")))
    return Config(
        listen=listen or f"tcp:{number('PORT')}",
        source_kind=_SOURCES[source],
        source_path=text(source),
        path_ttl=number("NIXERY_PATH_TTL"),
        source_ttl=number("NIXERY_SOURCE_TTL"),
        submodules=text("NIXERY_GIT_SUBMODULES") == "yes",
        storage_backend=text("NIXERY_STORAGE_BACKEND"),
        storage_settings={**environment, "STORAGE_PATH": storage},
        state=state,
        builder_seconds=number("NIX_TIMEOUT"),
        build_seconds=number("NIXERY_BUILD_TIMEOUT"),
        hold=number("NIXERY_HOLD"),
        popularity=text("NIX_POPULARITY_URL") if "NIX_POPULARITY_URL" in values else None,
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
    chosen = [variable for variable in _SOURCES if variable in values]
    if not chosen:
        ways = " or ".join(f"{s.variable} ({s.help.partition(': ')[2]})" for s in SETTINGS if s.variable in _SOURCES)
        raise ConfigError(f"no package set: set {ways}")
    if len(chosen) > 1:
        raise ConfigError(f"{' and '.join(chosen)} are both set; an instance has one package set: leave one out")
    return chosen[0]

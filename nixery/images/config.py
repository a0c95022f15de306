"""An image's config as a value: what runs in it, as whom, and where.

Format: OCI image-spec 1.1, "Image Configuration", Properties, `config`; Docker's has the same fields.
"""

import re
from collections.abc import Callable, Mapping
from typing import Self, TypeVar

from attrs import evolve, frozen

from nixery.images.canonical import encode

ENVIRONMENT = (
    "PATH=/bin:/sbin:/usr/bin:/usr/sbin",
    "SSL_CERT_FILE=/etc/ssl/certs/ca-bundle.crt",
)
"""Of every image, unless its config has other values for these names."""

MOST_BYTES = 64 << 10
"""Of a config in JSON: it is part of each record, and goes to each client."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_VARIABLE = re.compile(r"([^=]+)=.*")
_USER = re.compile(r"[\w.-]+\$?(?::[\w.-]+)?", re.ASCII)
_PORT = re.compile(r"([1-9][0-9]{0,4})(?:/(?:tcp|udp))?", re.ASCII)
_SIGNAL = re.compile(r"SIG[A-Z0-9]+(?:[+-][0-9]+)?|[1-9][0-9]?", re.ASCII)

_T = TypeVar("_T")


@frozen
class ImageConfig:
    """What a container of the image begins with; what is empty is left to the client.

    `environment`: NAME=value, in place of ENVIRONMENT's or beside it; `directory`: where the command starts; `signal`:
    what ends it. `labels`, `ports` and `volumes` are sorted, so that equal configs have equal bytes.
    """

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    user: str = ""
    directory: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    signal: str = ""

    @classmethod
    def parse(cls, value: object) -> Self:
        """A config as the specification writes it; raises ValueError with the field that is wrong, and why."""
        if not isinstance(value, Mapping):
            raise ValueError("config has to be a set")
        if len(encode(value)) > MOST_BYTES:
            raise ValueError(f"config has more than {MOST_BYTES} bytes")
        for field in value:
            if field not in _FIELDS:
                raise ValueError(f"config has {str(field)[:50]!r}, which is none of {', '.join(_FIELDS)}")
        return cls(
            entrypoint=_read(value, "Entrypoint", _words, ()),
            command=_read(value, "Cmd", _words, ()),
            environment=_read(value, "Env", _variables, ()),
            user=_read(value, "User", _user, ""),
            directory=_read(value, "WorkingDir", _path, ""),
            labels=_read(value, "Labels", _labels, ()),
            ports=_read(value, "ExposedPorts", lambda ports: _keys(ports, _port), ()),
            volumes=_read(value, "Volumes", lambda paths: _keys(paths, _path), ()),
            signal=_read(value, "StopSignal", _signal, ""),
        )

    def encode(self) -> dict[str, object]:
        """What parse reads: the fields that are not empty."""
        fields: dict[str, object] = {
            "Env": list(self.environment),
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.command),
            "User": self.user,
            "WorkingDir": self.directory,
            "Labels": dict(self.labels),
            "ExposedPorts": {port: {} for port in self.ports},
            "Volumes": {path: {} for path in self.volumes},
            "StopSignal": self.signal,
        }
        return {name: field for name, field in fields.items() if field}

    def render(self) -> dict[str, object]:
        """What stands in the image: the same, with the environment of every image."""
        variables = {_name(variable): variable for variable in (*ENVIRONMENT, *self.environment)}
        return evolve(self, environment=tuple(variables.values())).encode()

    def store_paths(self, store: str) -> set[str]:
        """The store paths that have to be there for it to work. `store`: their folder, such as /nix/store."""
        texts = (*self.entrypoint, *self.command, *self.environment, self.directory)
        path = re.compile(re.escape(store) + r"/[0-9a-z]{32}-[0-9a-zA-Z+._?=-]+")
        return {found for text in texts for found in path.findall(text)}


_FIELDS = ("Entrypoint", "Cmd", "Env", "User", "WorkingDir", "Labels", "ExposedPorts", "Volumes", "StopSignal")


def printable(text: str) -> bool:
    """Whether text has no control characters, and is text."""
    return _UNPRINTABLE.search(text) is None


def _read(value: Mapping[str, object], field: str, read: Callable[[object], _T], empty: _T) -> _T:
    try:
        return read(value[field]) if field in value else empty
    except ValueError as error:
        raise ValueError(f"config.{field} {error}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("has to be a string")
    if not printable(value):
        raise ValueError(f"has a control character in {value[:50]!r}")
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError("has to be a list of strings")
    if value and not value[0]:
        raise ValueError("begins with an empty string")
    return tuple(map(_text, value))


def _variables(value: object) -> tuple[str, ...]:
    variables = _words(value)
    for variable in variables:
        if _VARIABLE.fullmatch(variable) is None:
            raise ValueError(f"has {variable[:50]!r}, which is not NAME=value")
    if len(set(map(_name, variables))) < len(variables):
        raise ValueError("sets a variable twice")
    return variables


def _name(variable: str) -> str:
    return variable.partition("=")[0]


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"has to be a set of {what}")
    return value


def _labels(value: object) -> tuple[tuple[str, str], ...]:
    given = _mapping(value, "strings")
    if not all(isinstance(text, str) for text in given.values()):
        raise ValueError("has to be a set of strings")
    labels = {_text(name): _text(text) for name, text in given.items()}
    if "" in labels:
        raise ValueError("has a label without a name")
    return tuple(sorted(labels.items()))


def _keys(value: object, read: Callable[[object], str]) -> tuple[str, ...]:
    keys = _mapping(value, "empty sets")
    for key, empty in keys.items():
        if empty != {}:
            raise ValueError(f"has a value for {key[:50]!r}, which has to be an empty set")
    return tuple(sorted(map(read, keys)))


def _path(value: object) -> str:
    path = _text(value)
    if not path.startswith("/"):
        raise ValueError(f"has {path[:50]!r}, which is not an absolute path")
    return path


def _port(value: object) -> str:
    port = _text(value)
    match = _PORT.fullmatch(port)
    if match is None or int(match[1]) > 65535:
        raise ValueError(f"has {port[:50]!r}, which is not a port such as 80, 80/tcp or 53/udp")
    return port


def _user(value: object) -> str:
    user = _text(value)
    if _USER.fullmatch(user) is None:
        raise ValueError(f"has {user[:50]!r}, which is not a user, or user:group, by name or number")
    return user


def _signal(value: object) -> str:
    signal = _text(value)
    if _SIGNAL.fullmatch(signal) is None:
        raise ValueError(f"has {signal[:50]!r}, which is not a signal such as SIGTERM")
    return signal

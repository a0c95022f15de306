"""Whether Nix heeds the settings that are for Nixery alone: a Nix daemon ignores them from a user it does not trust.

It says so as soon as a client connects, and the client passes it on (Nix's daemon.cc, ClientSettings::apply): as a
warning in Nix 2.26, and for all but substituters only in the debug log in Nix 2.8. A cache that the daemon's own
nix.conf names in trusted-substituters is not ignored, and not told of.
"""

import os
import pwd
import re
import subprocess
from collections.abc import Collection, Mapping

from twisted.logger import Logger

from nixery.errors import ConfigError, public

_log = Logger()

_SECONDS = 20.0
_PING = ("-vvvvv", "--extra-experimental-features", "nix-command", "store", "ping")  # it talks to the store, no more
_SETTING = re.compile(r"ignoring the [a-z]+-specified setting '([a-z-]+)'", re.IGNORECASE)
_SUBSTITUTER = re.compile(r"ignoring untrusted substituter", re.IGNORECASE)
_WAYS = {
    "substituters": "list its caches in trusted-substituters",
    "trusted-public-keys": "move its keys to trusted-public-keys",
    "builders": "move its machines to builders",
}


def refuse_ignored(nix: str, environment: Mapping[str, str], settings: Collection[str]) -> None:
    """Raise ConfigError when Nix would ignore some of these settings of nix.conf; asks nothing when there are none.

    `nix`: the program; `environment`: what Nix's programs get, the settings included. Blocks, for 20 s at most. Where
    Nix gives no answer it logs that, and goes on: a daemon that is not there now says nothing about the settings, and
    may be there for the first image.
    """
    if not settings:
        return
    told = _told(nix, environment)
    found = set(_SETTING.findall(told)) | ({"substituters"} if _SUBSTITUTER.search(told) else set())
    ignored = [name for name in _WAYS if name in settings and name in found]
    if ignored:
        raise ConfigError(
            f"Nix's daemon does not trust the user {_user()}, and ignores {' and '.join(map(_variable, ignored))}. In "
            f"that daemon's nix.conf, {', '.join(_WAYS[name] for name in ignored)}; or add the user to trusted-users "
            "there, which gives it the rights of root"
        )


def _told(nix: str, environment: Mapping[str, str]) -> str:
    """What Nix says when it opens the store; without an answer, what it said until then.

    By subprocess, as this is asked before the reactor runs.
    """
    command = (nix, *_PING)
    try:
        ended = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        told, end = _text(error.stderr), f"it gave no answer for {_SECONDS:g} s"
    except OSError as error:
        told, end = "", f"it cannot be started: {error.strerror}"
    else:
        told = _text(ended.stderr)
        end = f"it ended with status {ended.returncode}: {told.rpartition(chr(10))[2]}" if ended.returncode else ""
    if end:
        _log.warn("{nix} does not say whether it heeds what is set for Nixery alone: {end}", nix=nix, end=end)
    return told


def _text(stderr: bytes | None) -> str:
    return public((stderr or b"").decode(errors="replace").strip())


def _variable(setting: str) -> str:
    return f"NIXERY_{setting.upper().replace('-', '_')}"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
